// Entering a paper sheet with a keyboard or a USB scanner: Enter in the marks field ticks rows.
// Owns ticking on the page itself; without it the same button asks the server.
// Refuses nothing: what it cannot read it leaves to the server, which says why.

const form = document.querySelector("[data-sheet]");

if (form) {
  const marks = form.querySelector("[data-sheet-marks]");
  const said = document.querySelector("[data-sheet-said]");
  const rows = [...form.querySelectorAll("[data-sheet-position]")];
  const count = () => rows.filter((row) => row.checked).length;
  const show = (words) => { said.textContent = `${words}しるし ${count()}人`; };

  const meant = (text) => {
    const flat = text.normalize("NFKC").trim().toUpperCase();
    const coded = rows.filter((row) => row.dataset.sheetCode && row.dataset.sheetCode === flat);
    if (coded.length) return coded;
    const wanted = new Set();
    for (const part of flat.split(/[\s,、.]+/).filter(Boolean)) {
      const span = part.match(/^(\d{1,4})(?:[-~〜](\d{1,4}))?$/);
      if (!span) return [];
      for (let n = Number(span[1]); n <= Number(span[2] ?? span[1]); n += 1) wanted.add(n);
    }
    const found = rows.filter((row) => wanted.has(Number(row.dataset.sheetPosition)));
    return found.length === wanted.size ? found : [];
  };

  const tick = (event) => {
    const found = meant(marks.value);
    if (!found.length) return; // the server says what is wrong
    event.preventDefault();
    found.forEach((row) => { row.checked = true; });
    marks.value = "";
    marks.focus();
    show(`${found.map((row) => row.dataset.sheetPosition).join("、")}番に しるしをつけました。`);
  };

  marks.addEventListener("keydown", (event) => { if (event.key === "Enter") tick(event); });
  form.querySelector("button[value=mark]").addEventListener("click", tick);
  form.addEventListener("change", (event) => { if (rows.includes(event.target)) show(""); });
}

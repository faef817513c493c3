/* Error summary: takes the focus when the page opens; its links move the focus to the field.
   Without this script the summary is still the first thing in the page's content. */
const summary = document.querySelector("[data-error-summary]");
if (summary) summary.focus();

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-error-summary] a[href^='#']");
  if (!link) return;
  const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target) return;
  const field = target.matches("input, select, textarea, button")
    ? target
    : target.querySelector("input, select, textarea") || target;
  event.preventDefault();
  field.focus({ preventScroll: true });
  (field.closest(".field") || field).scrollIntoView({ block: "start" });
});

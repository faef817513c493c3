/* Saves a staff form while it is being filled in; two editors never overwrite each other.
   Contract: form[data-autosave][data-autosave-url], input[name=version],
   [data-autosave-status] (words).  POST multipart form → 200 {version, saved_text};
   409 {message, url} when somebody saved first: nothing is sent any more, nothing typed is
   lost, the page offers both versions on reload of `url`; other answers are tried again. */
const form = document.querySelector("form[data-autosave]");
if (form) start(form);

function start(form) {
  const status = form.querySelector("[data-autosave-status]");
  const version = form.querySelector("input[name='version']");
  let timer = 0;
  let dirty = false;
  let saving = null; // the save on its way
  let stopped = false;

  const say = (words, state) => {
    status.textContent = words;
    status.dataset.state = state;
  };
  const later = (wait) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(save, wait);
  };

  function save() {
    if (saving) return later(500);
    dirty = false;
    saving = send().finally(() => {
      saving = null;
    });
  }

  async function send() {
    try {
      const answer = await fetch(form.dataset.autosaveUrl, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
        credentials: "same-origin",
      });
      if (answer.ok) {
        const body = await answer.json();
        version.value = body.version;
        say(body.saved_text, "saved");
      } else if (answer.status === 409 || answer.status === 412) {
        stopped = true;
        dirty = true;
        const body = await answer.json().catch(() => ({}));
        say(body.message || "ほかの人が先に保存しました。「保存して一覧へ」を押すと、両方を見くらべられます。", "conflict");
      } else if (answer.status === 422 || answer.status === 400) {
        say("まだ正しくない項目があります。入力は残っています。", "failed");
      } else {
        throw new Error(String(answer.status));
      }
    } catch {
      dirty = true;
      say("まだ保存できていません。画面をとじないでください。", "failed");
      later(10000);
    }
  }

  form.addEventListener("input", () => {
    dirty = true;
    if (!stopped) say("入力中", "typing");
    later(1500);
  });
  form.addEventListener("submit", (event) => {
    dirty = false;
    stopped = true;
    clearTimeout(timer);
    if (!saving) return;
    // Our own save is on its way: its version must be in the form, or we would overtake ourselves.
    event.preventDefault();
    saving.then(() => form.requestSubmit(event.submitter));
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}

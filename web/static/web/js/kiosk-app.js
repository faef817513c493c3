/* The kiosk (/kiosk/): a tablet paired with an organisation, usable without network.
   Owns which screen is shown — pairing, today's sessions, the reception, "not in use any more" —
   and the update of its own program, never while a reception is open in any tab.
   Markup: templates/web/kiosk/app.html.  docs/flows/kiosk.md. */
import { deviceLink } from "./kiosk-link.js";
import { openReception } from "./kiosk-reception.js";
import { makeSender } from "./kiosk-send.js";
import { openStore, UNSENT } from "./kiosk-store.js";

const root = document.querySelector("[data-kiosk-app]");
const part = (name) => root.querySelector(`[data-app-${name}]`);
const states = JSON.parse(document.getElementById("kiosk-states").textContent);
const { api, pairUrl, workerUrl } = root.dataset;
const RECEPTION = "tsunagari-reception"; // lock: held (shared) while a reception is open
const store = await openStore("tsunagari-kiosk");
let sender = null;
let reception = null;
let leave = () => {};

function screen(name, heading) {
  for (const one of ["pair", "start", "reception", "revoked"]) part(one).hidden = one !== name;
  part("tools").hidden = name !== "reception";
  root.dataset.screen = name;
  part("heading").textContent = heading;
  if (name !== "reception") part("when").textContent = "";
  document.title = `${heading}｜受付端末`;
}

const two = (n) => String(n).padStart(2, "0");
const hours = (at) => `${at.getHours()}時${at.getMinutes() ? `${two(at.getMinutes())}分` : ""}`;
function when(session) {
  const [starts, ends] = [new Date(session.starts_at), new Date(session.ends_at)];
  const day = "日月火水木金土"[starts.getDay()];
  return `${starts.getMonth() + 1}月${starts.getDate()}日（${day}） ${hours(starts)}〜${hours(ends)}`;
}

async function news(told) {
  if (told.turnedAway) await store.set({ revoked: true });
  else if (!told.unreachable) await store.set({ revoked: false });
  reception?.chip(told);
  const { screen: now } = root.dataset;
  if (told.turnedAway && now !== "revoked" && now !== "pair") await turnedAway();
  else if (now === "revoked" && !told.turnedAway && !told.unreachable) await start("revoked");
}

/* Today's and tomorrow's sessions, as last heard; older ones while something of theirs waits. */
/* `from`: only while that screen is still shown; somebody may have gone on meanwhile. */
async function start(from) {
  const day = (at) => new Date(Date.parse(at)).toDateString();
  const today = new Date(Date.now() + ((await store.get("offset")) || 0)).toDateString();
  const rows = (await store.sessions()).sort((a, b) => Date.parse(a.starts_at) - Date.parse(b.starts_at));
  const names = [await store.get("organisation"), await store.get("name")];
  if (from && root.dataset.screen !== from) return;
  screen("start", "きょうの受付");
  part("name").textContent = names.filter(Boolean).join("　");
  part("sessions").replaceChildren(...rows.filter((one) => one.key).map((one) => {
    const item = document.createElement("li");
    const words = document.createElement("p");
    const title = document.createElement("strong");
    title.textContent = one.title;
    words.append(title, document.createElement("br"), `${when(one)}　${one.place}`);
    const button = document.createElement("button");
    const now = day(one.starts_at) === today;
    Object.assign(button, {
      type: "button", textContent: "受付をする",
      className: `button button-wide ${now ? "button-primary" : ""}`,
    });
    button.setAttribute("aria-label", `受付をする：${one.title} ${when(one)}`);
    button.addEventListener("click", () => open(one.id));
    item.className = "panel stack";
    item.append(words, button);
    return item;
  }));
  part("none").hidden = rows.some((one) => one.key);
  await status();
}

async function status() {
  const { waiting, refused } = await store.counts();
  const heard = await store.get("checked_in");
  const at = heard ? new Date(heard) : null;
  part("waiting").textContent = waiting ? `送信まち ${waiting}件${navigator.onLine ? "" : "（電波なし）"}` : navigator.onLine ? "送信ずみ" : "電波なし";
  part("waiting").dataset.state = refused ? "failed" : waiting ? "waiting" : "sent";
  part("refused").hidden = !refused;
  part("refused").textContent = `送信できません ${refused}件。係の人に知らせてください`;
  part("heard").textContent = at ? `最後の連絡 ${at.getMonth() + 1}月${at.getDate()}日 ${at.getHours()}:${two(at.getMinutes())}` : "まだ連絡していません";
  const left = await store.inState(...UNSENT);
  part("left").textContent = String(left.length);
}

async function open(id) {
  const session = await store.session(id);
  const [host, scheme] = [await store.get("code_host"), await store.get("code_scheme")];
  const held = new Promise((release) => { leave = release; });
  navigator.locks?.request(RECEPTION, { mode: "shared" }, () => held);
  screen("reception", session.title);
  part("when").textContent = `${when(session)}　${session.place}`;
  reception = openReception({
    root, store, sender, states, session, host, scheme,
    offset: async () => (await store.get("offset")) || 0,
  });
  sender.round();
}

function close() {
  reception?.stop();
  reception = null;
  leave();
}

async function turnedAway() {
  close();
  screen("revoked", "この端末は いま使えません");
  await status();
}

/* Pairing: the code shown on the host's page, typed here or brought along after "#". */
function pairing(message = "") {
  screen("pair", "受付端末の登録");
  const brought = /^#([0-9A-Za-z]{4}-?[0-9A-Za-z]{4})$/.exec(location.hash);
  if (brought) part("code").elements.code.value = brought[1];
  part("error").hidden = !message;
  part("error").textContent = message && `エラー：${message}`;
}

async function pair(event) {
  event.preventDefault();
  const code = part("code").elements.code.value.trim();
  if (!code) return pairing("登録コードを入れてください。");
  const before = await store.get("kiosk");
  const held = (await store.inState(...UNSENT, "withdrawn", "voiding")).length > 0;
  let told;
  try {
    const answer = await fetch(pairUrl, {
      method: "POST", credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(15000),
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code, holds: held ? before : null }),
    });
    told = await answer.json();
    if (!answer.ok) return pairing(told.detail || "登録できませんでした。");
  } catch {
    return pairing("電波がありません。登録には電波がいります。");
  }
  await store.set({
    kiosk: told.kiosk, name: told.name, organisation: told.organisation, token: told.token,
    revoked: false, counter: Math.max(before === told.kiosk ? (await store.get("counter")) || 0 : 0, told.last_counter),
  });
  history.replaceState(null, "", location.pathname);
  await begin();
}

async function begin() {
  if (!(await store.get("token"))) return pairing();
  sender?.stop();
  sender = makeSender({ store, states, link: deviceLink(api, () => store.get("token")), checksIn: true, onNews: news });
  await store.sweep(Date.now());
  if (await store.get("revoked")) await turnedAway();
  else await start();
  await sender.now();
  await start("start");
}

/* The program's own update: taken when no reception is open anywhere, else at the next start. */
async function update(registration) {
  const take = () => navigator.locks?.request(RECEPTION, { ifAvailable: true }, (lock) => {
    if (lock && root.dataset.screen !== "reception") registration.waiting?.postMessage("take over");
  });
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", () => registration.waiting && take());
  });
  if (registration.waiting) await take();
}

part("code").addEventListener("submit", pair);
part("back").addEventListener("click", () => { close(); start(); });
part("again").addEventListener("click", () => pairing());
part("check").addEventListener("click", async () => {
  await sender.now();
});
part("refresh").addEventListener("click", async () => {
  await sender.now();
  await start("start");
});
window.addEventListener("online", () => sender?.now());
window.addEventListener("offline", () => root.dataset.screen === "start" && status());
store.onChange(() => root.dataset.screen !== "reception" && root.dataset.screen !== "pair" && status());
if (navigator.serviceWorker) {
  const before = navigator.serviceWorker.controller;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (before && root.dataset.screen !== "reception") location.reload();
  });
  navigator.serviceWorker.register(workerUrl, { scope: location.pathname, updateViaCache: "none" })
    .then(update).catch(() => { part("offline-note").hidden = false; });
} else part("offline-note").hidden = false;
await begin();

/* The reception of one session: reads cards (camera, scanner, typing), stores each scan, sends
   it, shows and sounds the answer, and keeps the rotating code fresh, with or without network.
   Markup: templates/web/host/reception.html.  screens.md "Offline"; P5. */
import { makeDetector, watch } from "./kiosk-camera.js";
import { bytesOf, eventCode, fingerprint, readCard, STEP } from "./kiosk-code.js";
import { stamp } from "./kiosk-link.js";
import { drawQr } from "./kiosk-qr.js";
import { listen } from "./kiosk-scanner.js";
import { allowSound, play } from "./kiosk-sound.js";

const SAME_CARD = 5000; // a card held before the camera is one scan
const ANSWER = 4000; // an answer that takes longer is shown as 「送信まち」
const UNDO = 10 * 60 * 1000;
const SHOWN = 3;

/* `root` holds the markup, `session` {id, key_id, key} (no key: no code for phones).
   Returns {chip(news), stop()}. */
export function openReception({ root, session, store, sender, states, host, scheme, offset }) {
  const part = (name) => root.querySelector(`[data-kiosk-${name}]`);
  const seen = new Map();
  const names = new Map();
  let idle = 0;
  let trouble = false;
  let stopped = false;
  let stopCamera = () => {};
  let shift = 0; // server's clock minus the tablet's
  const clock = (given) => timeOf(new Date(given.getTime() + shift));
  const timeOf = (at) => `${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`;

  function show(code, { title, detail, points, quiet } = {}) {
    const state = states[code];
    part("banner").className = `state kiosk-state ${state ? state.css : "state-idle"}`;
    part("banner").dataset.result = code;
    delete part("banner").dataset.scan;
    const icon = root.querySelector(`template[data-state-icon="${state ? code : "idle"}"]`);
    part("icon").replaceChildren(icon.content.cloneNode(true));
    part("title").textContent = title || state?.kiosk_title || "つぎの方、どうぞ";
    part("detail").textContent = detail || state?.kiosk_detail || "スマホで読みとるか、カードをカメラに見せてください";
    part("points").hidden = code !== "granted";
    if (code === "granted") part("points").querySelector(".figure").textContent = `＋${points}`;
    if (!state || quiet) return;
    play(state.sound);
    clearTimeout(idle);
    idle = setTimeout(() => show("idle"), state.failed ? 10000 : 6000);
  }

  /* 「送信ずみ／電波なし・送信まち 3件／送信できません」 and the count. */
  async function chip() {
    const { waiting, refused, here } = await store.counts(session.id);
    if (stopped) return;
    const failed = trouble || refused > 0;
    const words = failed ? `送信できません${waiting + refused ? `・${waiting + refused}件` : ""}`
      : waiting ? `${navigator.onLine ? "" : "電波なし・"}送信まち ${waiting}件`
        : navigator.onLine ? "送信ずみ" : "電波なし";
    const state = failed ? "failed" : waiting ? "waiting" : navigator.onLine ? "sent" : "offline";
    const icon = { failed: "warning", waiting: "no_signal", offline: "no_signal", sent: "check" }[state];
    part("chip").dataset.state = state;
    if (part("chip-words").textContent !== words) part("chip-words").textContent = words;
    part("chip-icon").replaceChildren(root.querySelector(`template[data-small-icon="${icon}"]`).content.cloneNode(true));
    part("retry").hidden = !(waiting || refused);
    part("count").textContent = String(here);
  }

  /* The strip below: the last three, each with undo for ten minutes; it survives a reload. */
  async function drawRecent() {
    const rows = await store.latest(session.id, SHOWN);
    part("recent").replaceChildren(...rows.map((row) => {
      const item = document.createElement("li");
      const words = document.createElement("span");
      words.textContent = `${clock(new Date(row.scanned_at))} ${names.get(row.id) || `カード …${row.tail}`}`;
      item.append(words);
      if (row.undone_at) {
        item.toggleAttribute("data-undone", !row.stood);
        words.textContent += row.stood ? "（取り消せません。係の人へ）" : "（取り消し）";
      } else if (Date.now() - Date.parse(row.scanned_at) < UNDO && row.answer?.result !== "already") {
        const button = document.createElement("button");
        Object.assign(button, { type: "button", className: "button", textContent: "取り消す" });
        button.setAttribute("aria-label", `取り消す：${words.textContent}`);
        button.addEventListener("click", () => undo(row.id));
        item.append(button);
      }
      return item;
    }));
  }

  async function undo(id) {
    const row = await store.undo(id, stamp());
    show("idle", { title: "取り消しました", detail: `カード …${row.tail}` });
    sender.round();
  }

  /* One code read: stored first, then sent; the answer is shown, or 「送信まち」. */
  async function take(text) {
    if (stopped) return;
    const now = Date.now();
    const short = text.trim().slice(0, 513);
    if (!short || now - (seen.get(short) || 0) < SAME_CARD) return void (short && seen.set(short, now));
    seen.set(short, now);
    const { code, problem } = readCard(short, host);
    if (problem) return show("bad_card", { detail: problem });
    const tail = `カード …${code.slice(-3)}`;
    try {
      const print = await fingerprint(session.id, code);
      const { record, already } = await store.add({ code, print, session: session.id, at: stamp() }, !navigator.onLine);
      if (already) return show("already", { detail: `${tail}　${states.already.kiosk_detail}` });
      const { scan, name, later } = await sender.send(record.id, ANSWER);
      answer(scan, name, tail);
      if (scan.state !== "sent") later?.then(() => amend(record.id, tail));
    } catch {
      show("bad_card", { title: "記録できません", detail: "この端末では受付できません。紙に書いてください" });
    }
  }

  /* An answer that came late is shown while its 「送信まち」 still stands there. */
  async function amend(id, tail) {
    const scan = await store.scan(id);
    if (!stopped && scan?.state === "sent" && part("banner").dataset.scan === id) answer(scan, sender.nameOf(id), tail);
  }

  function answer(scan, name, tail) {
    const state = states[scan.answer?.result];
    if (["waiting", "sending", "refused"].includes(scan.state) || !state) {
      show("queued", { detail: `${tail}　${states.queued.kiosk_detail}` });
      part("banner").dataset.scan = scan.id;
      return;
    }
    if (name) names.set(scan.id, `${name}さん`);
    const { result, points } = scan.answer;
    if (result !== "granted") return show(result);
    show(result, {
      points, title: name ? `${name} さん` : undefined,
      detail: `${name ? `${state.kiosk_title}（${clock(new Date())}）` : `${tail}　${clock(new Date())}`}　${state.kiosk_detail}`,
    });
  }

  /* The rotating code, made here from the session's key and the server's clock as it was last
     known; without the key there is none, because it would only be refused. */
  let step = -1;
  async function rotate() {
    shift = await offset();
    const now = (Date.now() + shift) / 1000;
    part("qr-clock").value = STEP - (now % STEP);
    if (!session.key || Math.floor(now / STEP) === step) return;
    step = Math.floor(now / STEP);
    const code = await eventCode(session.key_id, bytesOf(session.key), session.id, now);
    const url = `${scheme}://${host}/E/${code}`;
    drawQr(part("qr-image"), url);
    part("qr-image").dataset.url = url;
  }

  async function camera() {
    const words = part("camera-words");
    try {
      const detector = await makeDetector(root.dataset.ponyfillUrl, root.dataset.wasmUrl);
      stopCamera = await watch(part("video"), detector, take, root.dataset.facing || "user");
      if (stopped) return stopCamera();
      part("camera").dataset.camera = "on";
      words.textContent = "QRコードを 黄色いわくに 入れてください";
    } catch (error) {
      words.textContent = error.name === "NotAllowedError"
        ? "カメラが許可されていません。下の欄か、読みとり機を使ってください"
        : "カメラを使えません。下の欄か、読みとり機を使ってください";
    }
  }

  const redraw = () => { chip(); drawRecent(); };
  const typed = (event) => {
    event.preventDefault();
    const field = part("manual").elements.code;
    seen.delete(field.value.trim());
    take(field.value);
    field.value = "";
  };
  const again = async () => {
    await store.retry();
    sender.now();
  };
  part("manual").addEventListener("submit", typed);
  part("retry").addEventListener("click", again);
  for (const touch of ["pointerdown", "keyup"]) document.addEventListener(touch, allowSound, { once: true });
  window.addEventListener("offline", redraw);
  window.addEventListener("online", redraw);
  store.onChange(redraw);
  const deaf = listen(take);
  const ticking = setInterval(rotate, 1000);
  const drawing = setInterval(drawRecent, 15000);
  part("qr").hidden = !session.key;
  part("qr-off").hidden = Boolean(session.key);
  show("idle");
  rotate();
  redraw();
  camera();

  return {
    chip(news) {
      trouble = Boolean(news.turnedAway);
      redraw();
    },
    stop() {
      stopped = true;
      stopCamera();
      deaf();
      clearInterval(ticking);
      clearInterval(drawing);
      clearTimeout(idle);
      part("manual").removeEventListener("submit", typed);
      part("retry").removeEventListener("click", again);
      window.removeEventListener("offline", redraw);
      window.removeEventListener("online", redraw);
    },
  };
}

/* The reception screen.  Reads cards (camera, USB scanner, typing), stores each scan, sends
   it, shows and sounds the answer, and keeps the rotating code fresh.
   Contract: see templates/web/host/kiosk.html and screens.md "Offline". */
import { makeDetector, watch } from "./kiosk-camera.js";
import { openQueue, wire } from "./kiosk-queue.js";
import { allowSound, play } from "./kiosk-sound.js";

const root = document.querySelector("[data-kiosk]");
const part = (name) => root.querySelector(`[data-kiosk-${name}]`);
const states = JSON.parse(document.getElementById("kiosk-states").textContent);
const { device, scanUrl, batchUrl, qrUrl, voidUrl, csrf } = root.dataset;
const session = Number(root.dataset.session);
const SAME_CARD = 5000; // a card held before the camera is one scan
const BATCH = 500;
const UNDO = 10 * 60 * 1000;
const seen = new Map();
const flying = new Set();
const recent = [];
let queue = null;
let idleTimer = 0;
let accepted = Number(part("count").textContent) || 0;

const post = (url, body, wait, key) =>
  fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrf, ...(key && { "Idempotency-Key": key }) },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(wait),
  });

/* Local time with its offset, as RFC 3339. */
function stamp(at = new Date()) {
  const minutes = -at.getTimezoneOffset();
  const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const local = new Date(at.getTime() + minutes * 60000).toISOString().slice(0, 19);
  return `${local}${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
const clock = (at) => `${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`;

function show(code, { title, detail, points } = {}) {
  const state = states[code];
  const banner = part("banner");
  banner.className = `state kiosk-state ${state ? state.css : "state-idle"}`;
  const icon = root.querySelector(`template[data-state-icon="${state ? code : "idle"}"]`);
  part("icon").replaceChildren(icon.content.cloneNode(true));
  part("title").textContent = title || state?.kiosk_title || "つぎの方、どうぞ";
  part("detail").textContent = detail || state?.kiosk_detail || "スマホで読みとるか、カードをカメラに見せてください";
  part("points").hidden = code !== "granted";
  if (code === "granted") part("points").querySelector(".figure").textContent = `＋${points}`;
  if (!state) return;
  play(state.sound);
  clearTimeout(idleTimer);
  idleTimer = setTimeout(() => show("idle"), state.failed ? 10000 : 6000);
}

function count(change) {
  accepted += change;
  part("count").textContent = String(accepted);
}

async function chip(failed = false) {
  const waiting = queue ? (await queue.inState("waiting")).length : 0;
  const state = failed ? "failed" : waiting ? "waiting" : "sent";
  const words = failed
    ? `送信できません${waiting ? `・${waiting}件` : ""}`
    : waiting ? `${navigator.onLine ? "" : "電波なし・"}送信まち ${waiting}件` : navigator.onLine ? "送信ずみ" : "電波なし";
  const icon = { failed: "warning", waiting: "no_signal", sent: navigator.onLine ? "check" : "no_signal" }[state];
  part("chip").dataset.state = state;
  part("chip-words").textContent = words;
  part("chip-icon").replaceChildren(root.querySelector(`template[data-small-icon="${icon}"]`).content.cloneNode(true));
  part("retry").hidden = !waiting;
}

/* The strip below: the last three, each with undo for ten minutes. */
function remember(record, label) {
  recent.unshift({ record, label, at: new Date() });
  recent.splice(3);
  drawRecent();
}

function drawRecent() {
  part("recent").replaceChildren(...recent.map((entry) => {
    const item = document.createElement("li");
    const words = document.createElement("span");
    words.textContent = `${clock(entry.at)} ${entry.label}`;
    item.append(words);
    item.toggleAttribute("data-undone", Boolean(entry.record.undone));
    if (entry.record.undone) words.textContent += "（取り消し）";
    else if (voidUrl && Date.now() - entry.at < UNDO) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      button.textContent = "取り消す";
      button.setAttribute("aria-label", `取り消す：${words.textContent}`);
      button.addEventListener("click", () => undo(entry));
      item.append(button);
    }
    return item;
  }));
}

async function undo(entry) {
  const fresh = queue ? await queue.change(entry.record.id, { undone: true }) : { ...entry.record, undone: true };
  entry.record = { ...entry.record, ...fresh };
  if (entry.record.answer && !(await voidOnServer(entry.record))) {
    entry.record.undone = false;
    if (queue) await queue.change(entry.record.id, { undone: false });
    part("detail").textContent = "取り消せませんでした。電波をたしかめて、もう一度おしてください";
  } else count(-1);
  drawRecent();
}

async function voidOnServer(record) {
  if (!record.answer?.attendance) return true;
  try {
    const answer = await post(voidUrl.replace("{attendance}", encodeURIComponent(record.answer.attendance)), { reason: "受付での取り消し" }, 8000, `void-${record.id}`);
    return answer.ok || answer.status === 409;
  } catch {
    return false;
  }
}

async function settle(record, answer) {
  const kept = (({ result, points, attendance }) => ({ result, points, attendance }))(answer);
  const fresh = queue ? await queue.change(record.id, { state: "sent", answer: kept }) : { ...record, answer: kept };
  const entry = recent.find((e) => e.record.id === record.id);
  if (entry) entry.record = { ...entry.record, ...fresh };
  if (fresh?.undone && !(await voidOnServer(fresh)) && queue) await queue.change(record.id, { state: "voiding" });
  return fresh;
}

/* One code read: stored first, then sent; the answer is shown, or 「送信まち」. */
async function take(text) {
  const code = text.trim().slice(0, 512);
  const now = Date.now();
  if (!code || now - (seen.get(code) || 0) < SAME_CARD) return seen.set(code, now);
  seen.set(code, now);
  const tail = `カード …${code.slice(-3)}`;
  const record = queue ? await queue.add(code, session, stamp()) : { id: crypto.randomUUID(), code, session, scanned_at: stamp() };
  flying.add(record.id);
  try {
    const answer = await post(scanUrl, wire(record), 4000, record.id);
    const body = await answer.json().catch(() => ({}));
    if (answer.ok && states[body.result]) {
      await settle(record, body);
      const label = body.name ? `${body.name}さん` : tail;
      const state = states[body.result];
      const fresh = state.counted && body.result !== "already";
      show(body.result, {
        points: body.points,
        title: body.name && body.result === "granted" ? `${body.name} さん` : undefined,
        detail: body.result === "granted" ? `${body.name ? `${state.kiosk_title}（${clock(new Date())}）` : clock(new Date())}　${state.kiosk_detail}` : undefined,
      });
      if (fresh) {
        count(1);
        remember({ ...record, answer: body }, label);
      }
    } else if ([400, 404, 422].includes(answer.status)) {
      if (queue) await queue.change(record.id, { state: "refused", answer: { result: body.code || String(answer.status) } });
      show("bad_card", { detail: body.detail });
    } else {
      throw new Error(String(answer.status));
    }
    await chip();
  } catch (error) {
    if (queue) {
      show("queued", { detail: `${tail}　${states.queued.kiosk_detail}` });
      count(1);
      remember(record, tail);
    } else show("bad_card", { title: "送信できません", detail: "この端末は電波なしでは使えません。紙に書いてください" });
    await chip(/^(401|403)$/.test(error.message));
  } finally {
    flying.delete(record.id);
  }
}

/* Everything that waits, in order, each with its own answer; one bad item blocks nothing. */
let draining = false;
async function drain() {
  if (draining || !queue) return;
  draining = true;
  let failed = false;
  try {
    for (const row of await queue.inState("voiding")) {
      if (await voidOnServer(row)) await queue.change(row.id, { state: "sent" });
    }
    for (;;) {
      const rows = (await queue.inState("waiting")).filter((r) => !flying.has(r.id)).slice(0, BATCH);
      if (!rows.length) break;
      const answer = await post(batchUrl, { device_time: stamp(), scans: rows.map(wire) }, 20000);
      if (!answer.ok) {
        failed = answer.status < 500;
        break;
      }
      const { results } = await answer.json();
      for (const [index, row] of rows.entries()) {
        const result = results[index];
        const known = states[result?.result];
        if (known) await settle(row, result);
        else await queue.change(row.id, { state: "refused", answer: { result: result?.code || "unknown" } });
        if (!row.undone && !(known?.counted && result.result !== "already")) count(-1);
      }
    }
  } catch {
    /* no network: the next round tries again */
  } finally {
    draining = false;
    await chip(failed);
  }
}

/* The rotating code: the next picture is fetched before it replaces the last one; when it
   cannot be had, the old one is hidden, because it would only be refused. */
function rotate() {
  const seconds = Number(root.dataset.qrSeconds) || 30;
  const image = part("qr-image");
  let step = -1;
  const tick = () => {
    const now = Date.now() / 1000;
    part("qr-clock").value = seconds - (now % seconds);
    const current = Math.floor(now / seconds);
    if (current === step) return;
    step = current;
    const next = new Image();
    next.onload = () => {
      image.src = next.src;
      part("qr").hidden = false;
      part("qr-off").hidden = true;
    };
    next.onerror = () => {
      part("qr").hidden = true;
      part("qr-off").hidden = false;
      setTimeout(() => { step = -1; }, 5000);
    };
    next.src = `${qrUrl}${qrUrl.includes("?") ? "&" : "?"}step=${current}`;
  };
  tick();
  setInterval(tick, 1000);
}

/* A USB scanner types fast and ends with Enter, wherever the focus is. */
function listenToScanner() {
  let buffer = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.("input, textarea, select") || event.ctrlKey || event.altKey || event.metaKey) return;
    // the time of the key, not of this code: a busy page must not split a card in two
    if (event.timeStamp - last > 300) buffer = "";
    last = event.timeStamp;
    const key = event.key === "Process" ? event.code.replace(/^(Key|Digit)/, "") : event.key;
    if (key === "Enter" && buffer.length >= 6) {
      event.preventDefault();
      event.stopPropagation();
      const text = buffer;
      buffer = "";
      take(text);
    } else if (key.length === 1) buffer += key;
  }, true);
}

async function camera() {
  const box = part("camera");
  const words = part("camera-words");
  try {
    const detector = await makeDetector(root.dataset.ponyfillUrl, root.dataset.wasmUrl);
    await watch(part("video"), detector, take, root.dataset.facing || "user");
    box.dataset.camera = "on";
    words.textContent = "QRコードを 黄色いわくに 入れてください";
  } catch (error) {
    words.textContent = error.name === "NotAllowedError"
      ? "カメラが許可されていません。下の欄か、読みとり機を使ってください"
      : "カメラを使えません。下の欄か、読みとり機を使ってください";
  }
}

part("manual").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = event.target.elements.code;
  seen.delete(field.value.trim());
  take(field.value);
  field.value = "";
});
part("retry").addEventListener("click", drain);
for (const touch of ["pointerdown", "keyup"]) document.addEventListener(touch, allowSound, { once: true });
window.addEventListener("online", drain);
window.addEventListener("offline", () => chip());
setInterval(() => { drawRecent(); drain(); }, 10000);

try {
  queue = await openQueue(device);
  await queue.sweep(Date.now());
} catch {
  queue = null;
}
listenToScanner();
rotate();
chip();
drain();
camera();

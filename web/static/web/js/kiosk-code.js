/* The codes, as points/domain/codes.py and tokens.py read and make them: the same alphabet,
   check character and rotating event code, so that a tablet without network refuses a mistyped
   card and shows a code that the server takes as its own.  Vectors: docs/algorithms/tokens.md;
   tests/journeys/test_kiosk_codes.py runs both and compares. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const FOLD = { O: "0", I: "1", L: "1" };
const DROPPED = /[ \t\r\n\-_‐‑‒–—―−ー]/gu;
const CARD_LENGTH = 12;
const CARD_FAMILY = 3;
const VOUCHER_FAMILY = 22;
const LONGEST = 512;
const EVENT = 0x45;
const TAG = 11;
export const STEP = 30;

/* alpha^1 … alpha^30 in GF(32) = GF(2)[x]/(x^5+x^2+1). */
const POWERS = [];
for (let place = 0, value = 1; place < 30; place += 1) {
  value <<= 1;
  if (value & 32) value ^= 0b100101;
  POWERS.push(value);
}

function times(left, right) {
  let product = 0;
  for (; right; right >>= 1) {
    if (right & 1) product ^= left;
    left <<= 1;
    if (left & 32) left ^= 0b100101;
  }
  return product;
}

function checkCharacter(body, family) {
  let total = family;
  [...body].forEach((character, place) => { total ^= times(ALPHABET.indexOf(character), POWERS[place]); });
  return ALPHABET[total];
}

/* Bare capitals, or "" where a character cannot be ours. */
export function clean(text) {
  const folded = text.normalize("NFKC").replace(DROPPED, "").toUpperCase().replace(/[OIL]/g, (c) => FOLD[c]);
  return [...folded].every((c) => ALPHABET.includes(c)) ? folded : "";
}

/* What was read or typed → {code} of a card, or {problem: a sentence}. */
export function readCard(text, host) {
  const bad = { problem: "カードのQRコードではありません" };
  if (text.length > LONGEST) return bad;
  let rest = text.replaceAll("／", "/").replaceAll("：", ":").trim();
  if (rest.includes("/")) {
    const [place, folder, code, ...more] = rest.split("://").pop().split(/[?#]/)[0].replace(/\/+$/, "").split("/");
    if (folder?.toUpperCase() === "V") return { problem: "これは利用券です。カードを見せてください" };
    if (folder?.toUpperCase() === "E") return { problem: "会場のQRコードです。スマホで読みとってください" };
    if (folder?.toUpperCase() !== "C" || more.length || (host && place.toUpperCase() !== host.toUpperCase())) return bad;
    rest = code || "";
  }
  const code = clean(rest);
  if (code.length !== CARD_LENGTH) return bad;
  const body = code.slice(0, -1);
  if (checkCharacter(body, CARD_FAMILY) === code.at(-1)) return { code };
  if (checkCharacter(body, VOUCHER_FAMILY) === code.at(-1)) return { problem: "これは利用券です。カードを見せてください" };
  return { problem: "番号の文字が ちがうようです" };
}

/* Bytes, a multiple of 5, as base 32: 5 bytes are 8 characters. */
function encode(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 5) {
    let number = 0n;
    for (const byte of bytes.slice(start, start + 5)) number = (number << 8n) | BigInt(byte);
    for (let place = 7n; place >= 0n; place -= 1n) text += ALPHABET[Number((number >> (5n * place)) & 31n)];
  }
  return text;
}

/* The rotating code of a session at an instant (seconds since 1970, server's clock).
   head = kind, key id, session (8 bytes), step (4 bytes); tag = HMAC-SHA-256, first 11 bytes. */
export async function eventCode(keyId, key, session, seconds) {
  const head = new Uint8Array(14);
  const view = new DataView(head.buffer);
  view.setUint8(0, EVENT);
  view.setUint8(1, keyId);
  view.setBigUint64(2, BigInt(session));
  view.setUint32(10, Math.floor(seconds / STEP));
  const signer = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const tag = new Uint8Array(await crypto.subtle.sign("HMAC", signer, head)).slice(0, TAG);
  return encode([...head, ...tag]);
}

/* base64 → bytes */
export const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/* What a device remembers of a card it has sent: enough to know it again, not to use it. */
export async function fingerprint(session, code) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${session}:${code}`));
  return btoa(String.fromCharCode(...new Uint8Array(hash).slice(0, 18)));
}

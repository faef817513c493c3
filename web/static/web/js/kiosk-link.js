/* How the reception talks to the server: a paired tablet with its token, a signed-in host with
   the session.  Says one of three things: an answer, Unreachable (later), TurnedAway (a person
   must look).  A hotel's or hall's sign-in page is Unreachable, never an answer. */
export class Unreachable extends Error {}
export class TurnedAway extends Error {}

async function call(url, { body, headers, credentials, wait, key }) {
  let answer;
  let said;
  const own = await headers();
  try {
    answer = await fetch(url, {
      method: "POST",
      credentials,
      cache: "no-store",
      redirect: "error",
      headers: { "Content-Type": "application/json", Accept: "application/json", ...own, ...(key && { "Idempotency-Key": key }) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(wait),
    });
    said = await answer.json();
  } catch {
    throw new Unreachable();
  }
  if ([401, 403].includes(answer.status) && said?.code) {
    // Paired anew meanwhile, perhaps in another tab: that answer was the old token's.
    if ((await headers()).Authorization !== own.Authorization) throw new Unreachable();
    throw new TurnedAway(said.code);
  }
  if (answer.status >= 500 || [401, 403, 408, 429].includes(answer.status)) throw new Unreachable();
  return { status: answer.status, ok: answer.ok, body: said };
}

function linkOf({ api, headers, credentials, one }) {
  const post = (path, body, wait, key) => call(`${api}/${path}`, { body, headers, credentials, wait, key });
  return {
    batch: (body) => post("scans/batch", body, 20000),
    one: one ? (scan) => post("scans", scan, 8000) : null,
    undo: (id, undone_at) => post(`scans/${id}/undo`, { undone_at }, 8000),
    checkIn: (body) => post("kiosk/check-in", body, 15000),
  };
}

/* A paired tablet: its own token, never somebody's session on the same browser. */
export const deviceLink = (api, tokenOf) =>
  linkOf({ api, headers: async () => ({ Authorization: `Bearer ${await tokenOf()}` }), credentials: "omit", one: false });

/* A signed-in host: may be told the member's name, so single scans go one by one. */
export const hostLink = (api, csrf) =>
  linkOf({ api, headers: async () => ({ "X-CSRFToken": csrf }), credentials: "same-origin", one: true });

/* Local time with its offset, as RFC 3339. */
export function stamp(at = new Date()) {
  const minutes = -at.getTimezoneOffset();
  const two = (n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const local = new Date(at.getTime() + minutes * 60000).toISOString().slice(0, 23);
  return `${local}${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

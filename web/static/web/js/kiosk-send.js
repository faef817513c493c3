/* Everything that waits, in order, in batches, each scan with its own answer.
   One tab sends at a time (Web Locks); a batch that is refused whole is halved until the one
   bad scan stands alone, so it blocks nothing.  Without network it tries again, later and later. */
import { TurnedAway, Unreachable, stamp } from "./kiosk-link.js";
import { wire } from "./kiosk-store.js";

const BATCH = 500;
const FIRST_WAIT = 5000;
const LONGEST_WAIT = 5 * 60 * 1000;
const CHECK_IN_EVERY = 60 * 1000;

const locked = (name, act) => (navigator.locks ? navigator.locks.request(name, act) : act());

/* `states`: web.states.as_script_data().  `onNews({turnedAway, unreachable})` after each round. */
export function makeSender({ store, link, states, checksIn, onNews }) {
  const names = new Map(); // scan → the name to thank by, online only, never stored
  let wait = 0;
  let timer = 0;
  let checkedAt = 0;
  let ended = false;

  const verdict = (answer) => {
    const state = states[answer?.result];
    if (!state) return { state: "refused", answer: { result: answer?.code || answer?.result || "unknown", reason: answer?.reason || answer?.detail || "" }, kept: true };
    const { result, points, reason } = answer;
    return { state: "sent", answer: { result, points, reason }, kept: state.counted, fresh: state.counted && result !== "already" };
  };

  async function ask(rows) {
    if (rows.length === 1 && link.one) {
      const { ok, body } = await link.one(wire(rows[0]));
      if (ok && body.name) names.set(rows[0].id, body.name);
      return [[rows[0].id, verdict(body)]];
    }
    const { ok, body } = await link.batch({ device_time: stamp(), scans: rows.map(wire) });
    if (ok && Array.isArray(body.results) && body.results.length === rows.length) {
      return rows.map((row, index) => [row.id, verdict(body.results[index])]);
    }
    if (ok) throw new Unreachable();
    if (rows.length === 1) return [[rows[0].id, verdict(body)]];
    const middle = Math.ceil(rows.length / 2);
    return [...await ask(rows.slice(0, middle)), ...await ask(rows.slice(middle))];
  }

  async function sendAll() {
    for (;;) {
      const rows = await store.next(BATCH);
      if (!rows.length) break;
      await store.settle(await ask(rows));
      checkedAt = 0;
    }
    for (const row of await store.inState("voiding")) {
      const { ok } = await link.undo(row.id, row.undone_at);
      await store.change(row.id, { state: "voided", stood: !ok });
      checkedAt = 0;
    }
  }

  async function checkIn() {
    const withdrawn = (await store.inState("withdrawn")).slice(0, BATCH);
    if (!withdrawn.length && Date.now() - checkedAt < CHECK_IN_EVERY) return;
    const before = Date.now();
    const { waiting } = await store.counts();
    const { ok, body } = await link.checkIn({
      device_time: stamp(new Date(before)), last_counter: (await store.get("counter")) || 0, waiting,
      withdrawn: withdrawn.map(({ id, session, counter, scanned_at, undone_at }) => ({ id, session, counter, scanned_at, withdrawn_at: undone_at })),
    });
    if (!ok || !Array.isArray(body.sessions)) throw new Unreachable();
    const after = Date.now();
    await store.keep(body, {
      offset: Date.parse(body.server_time) - (before + after) / 2, checked_in: after,
      code_host: body.code_host, code_scheme: body.code_scheme, name: body.name,
    });
    checkedAt = after;
  }

  /* One round: check in, send, undo, check in again with the new figures. */
  async function round() {
    clearTimeout(timer);
    if (ended) return {};
    let news = {};
    try {
      await locked(`${store.name}-send`, async () => {
        if (checksIn) await checkIn();
        await sendAll();
        if (checksIn) await checkIn();
      });
      wait = 0;
    } catch (error) {
      if (!(error instanceof TurnedAway || error instanceof Unreachable)) throw error;
      wait = Math.min(LONGEST_WAIT, wait * 2 || FIRST_WAIT);
      news = { turnedAway: error instanceof TurnedAway, unreachable: error instanceof Unreachable };
    } finally {
      if (!ended) timer = setTimeout(round, (wait || CHECK_IN_EVERY) * (0.8 + 0.4 * Math.random()));
    }
    if (!ended) onNews(news);
    return news;
  }

  return {
    round,
    stop() {
      ended = true;
      clearTimeout(timer);
    },
    /* Tries to send and returns the scan as it stands after at most `most` milliseconds;
       `later` ends with the try, however long it takes. */
    async send(id, most) {
      const sent = navigator.onLine ? round().catch((error) => console.error(error)) : null;
      await Promise.race([sent, new Promise((next) => setTimeout(next, most))]);
      return { scan: await store.scan(id), name: names.get(id) || "", later: sent };
    },
    nameOf: (id) => names.get(id) || "",
    now() {
      wait = 0;
      checkedAt = 0;
      return round();
    },
  };
}

/* The device's own record of scans: nothing read is lost when the network or the tab is.
   IndexedDB.  The gap-free counter is taken in the transaction that stores the scan, so neither
   a reload nor a second tab can skip or share one.  Holds card codes only until they are sent
   (then a fingerprint), times, counters and answers; never a name.

   state of a scan: waiting → sending → sent | refused         (sending: may have arrived)
                    waiting → withdrawn → accounted            (taken back before it was sent)
                    sent → voiding → voided                    (taken back afterwards) */
const WEEK = 7 * 24 * 60 * 60 * 1000;
const DONE = ["sent", "accounted", "voided"];
export const UNSENT = ["waiting", "sending"];

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const finished = (work) => new Promise((resolve, reject) => {
  work.oncomplete = () => resolve();
  work.onerror = work.onabort = () => reject(work.error);
});

export async function openStore(name, { counted = true } = {}) {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => {
    const scans = opening.result.createObjectStore("scans", { keyPath: "id" });
    scans.createIndex("state", "state");
    scans.createIndex("card", ["session", "print"]);
    scans.createIndex("session", "session");
    opening.result.createObjectStore("sessions", { keyPath: "id" });
    opening.result.createObjectStore("meta");
  };
  const base = await done(opening);
  base.onversionchange = () => base.close();
  navigator.storage?.persist?.().catch(() => false);
  const news = new BroadcastChannel(name);
  const heard = new Set();
  const tell = () => heard.forEach((one) => one());
  news.onmessage = tell;

  /* One transaction; `act` may only wait for its own requests. */
  async function within(names, act, mode = "readwrite") {
    const work = base.transaction(names, mode, { durability: "strict" });
    const ended = finished(work);
    ended.catch(() => {});
    const result = await act(...[names].flat().map((one) => work.objectStore(one)));
    await ended;
    if (mode === "readwrite") {
      news.postMessage(0);
      tell();
    }
    return result;
  }
  const read = (names, act) => within(names, act, "readonly");
  const inStates = async (scans, states) => {
    const rows = await Promise.all(states.map((one) => done(scans.index("state").getAll(one))));
    return rows.flat().sort((a, b) => a.order - b.order);
  };

  return {
    name,
    /* Calls back after every change, in whichever tab it was made. */
    onChange: (listener) => heard.add(listener),
    get: (key) => read("meta", (meta) => done(meta.get(key))),
    set: (fields) => within("meta", (meta) => {
      for (const [key, value] of Object.entries(fields)) meta.put(value, key);
    }),

    /* Stores a scan under the next counter, unless the card waits already (or, with
       `wholly`, was sent already): then {already} is that earlier scan. */
    add: ({ code, print, session, at }, wholly) => within(["scans", "meta"], async (scans, meta) => {
      const earlier = (await done(scans.index("card").getAll([session, print]))).find((row) =>
        !row.undone_at && (UNSENT.includes(row.state) || (wholly && row.state === "sent" && row.kept)));
      if (earlier) return { already: earlier };
      const order = ((await done(meta.get("counter"))) || 0) + 1;
      const record = {
        id: crypto.randomUUID(), code, print, tail: code.slice(-3), session, scanned_at: at, order,
        counter: counted ? order : null, state: "waiting", undone_at: "", answer: null, kept: true,
      };
      meta.put(order, "counter");
      scans.add(record);
      return { record };
    }),
    /* The next scans to send, marked so that an undo from now on goes through the server. */
    next: (most) => within("scans", async (scans) => {
      const rows = (await inStates(scans, ["sending", "waiting"])).slice(0, most);
      for (const row of rows) scans.put(Object.assign(row, { state: "sending" }));
      return rows;
    }),
    /* Writes answers down.  `answers`: [id, {state, answer, kept, fresh}]. */
    settle: (answers) => within(["scans", "sessions"], async (scans, sessions) => {
      const rows = [];
      for (const [id, { state, answer, kept, fresh }] of answers) {
        const row = await done(scans.get(id));
        if (!row || row.state !== "sending") continue; // another tab was first
        const undone = state === "sent" && kept && row.undone_at;
        Object.assign(row, { state: undone ? "voiding" : state, answer, kept, fresh, code: state === "sent" ? "" : row.code });
        scans.put(row);
        rows.push(row);
        const session = fresh && !undone && (await done(sessions.get(row.session)));
        if (session) sessions.put({ ...session, count: session.count + 1 });
      }
      return rows;
    }),
    /* Takes a scan back: at once when it was never sent, else by the server. */
    undo: (id, at) => within(["scans", "sessions"], async (scans, sessions) => {
      const row = await done(scans.get(id));
      if (!row || row.undone_at) return row;
      row.undone_at = at;
      if (row.state === "waiting") Object.assign(row, { state: counted ? "withdrawn" : "accounted", code: "" });
      else if (row.state === "sent") {
        row.state = "voiding";
        const session = await done(sessions.get(row.session));
        if (session) sessions.put({ ...session, count: Math.max(0, session.count - 1) });
      }
      scans.put(row);
      return row;
    }),
    change: (id, fields) => within("scans", async (scans) => {
      const row = await done(scans.get(id));
      if (row) scans.put(Object.assign(row, fields));
      return row;
    }),
    retry: () => within("scans", async (scans) => {
      for (const row of await inStates(scans, ["refused"])) scans.put({ ...row, state: "waiting" });
    }),
    scan: (id) => read("scans", (scans) => done(scans.get(id))),
    inState: (...states) => read("scans", (scans) => inStates(scans, states)),
    latest: (session, most) => read("scans", async (scans) =>
      (await done(scans.index("session").getAll(session)))
        .filter((row) => row.kept || row.undone_at).sort((a, b) => b.order - a.order).slice(0, most)),
    counts: (session) => read(["scans", "sessions"], async (scans, sessions) => {
      const waiting = await inStates(scans, [...UNSENT, "voiding"]);
      const stored = await done(sessions.get(session ?? 0));
      return {
        waiting: waiting.length,
        refused: await done(scans.index("state").count("refused")),
        here: (stored?.count || 0) + waiting.filter((row) => row.session === session && !row.undone_at).length,
      };
    }),
    session: (id) => read("sessions", (sessions) => done(sessions.get(id))),
    sessions: () => read("sessions", (sessions) => done(sessions.getAll())),
    putSession: (session) => within("sessions", (sessions) => { sessions.put(session); }),

    /* What a check-in brought: sessions, clock, the highest counter that the server knows. */
    keep: ({ sessions: fresh, last_counter, withdrawn }, fields) =>
      within(["scans", "sessions", "meta"], async (scans, sessions, meta) => {
        const held = new Set((await inStates(scans, UNSENT)).map((row) => row.session));
        const known = new Set(fresh.map((one) => one.id));
        for (const old of await done(sessions.getAll())) {
          if (!known.has(old.id) && held.has(old.id)) sessions.put({ ...old, key: "" });
          else if (!known.has(old.id)) sessions.delete(old.id);
        }
        for (const one of fresh) sessions.put(one);
        const counter = (await done(meta.get("counter"))) || 0;
        meta.put(Math.max(counter, last_counter), "counter");
        for (const [key, value] of Object.entries(fields)) meta.put(value, key);
        for (const id of withdrawn) {
          const row = await done(scans.get(id));
          if (row) scans.put({ ...row, state: "accounted" });
        }
      }),
    sweep: (now) => within("scans", async (scans) => {
      for (const row of await inStates(scans, DONE)) {
        if (now - Date.parse(row.scanned_at) > WEEK) scans.delete(row.id);
      }
    }),
  };
}

/* What the API takes: exactly these fields, so that a retry has the same body. */
export function wire({ id, code, session, scanned_at, counter }) {
  return { id, code, session, scanned_at, ...(counter !== null && { counter }) };
}

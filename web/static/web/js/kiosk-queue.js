/* The device's own record of scans: nothing read is lost when the network is.
   IndexedDB; the gap-free counter is taken in the same transaction that stores the scan.
   Holds card codes, times and answers; never a name.  Sent scans are kept a day for
   reconciliation, unsent ones until they are sent. */
const DAY = 24 * 60 * 60 * 1000;

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export async function openQueue(device) {
  const opening = indexedDB.open(`tsunagari-kiosk-${device}`, 1);
  opening.onupgradeneeded = () => {
    const scans = opening.result.createObjectStore("scans", { keyPath: "id" });
    scans.createIndex("state", "state");
    opening.result.createObjectStore("meta");
  };
  const base = await done(opening);
  navigator.storage?.persist?.().catch(() => false);

  return {
    /* Stores a scan under the next counter; returns the record. */
    async add(code, session, at) {
      const work = base.transaction(["scans", "meta"], "readwrite", { durability: "strict" });
      const counter = ((await done(work.objectStore("meta").get("counter"))) || 0) + 1;
      const record = { id: crypto.randomUUID(), code, session, scanned_at: at, counter, state: "waiting", undone: false };
      work.objectStore("meta").put(counter, "counter");
      work.objectStore("scans").add(record);
      await finished(work);
      return record;
    },
    /* State: waiting → sent | refused; voiding = sent, undone here, the void not yet sent. */
    async inState(state) {
      const work = base.transaction("scans");
      const rows = await done(work.objectStore("scans").index("state").getAll(state));
      return rows.sort((a, b) => a.counter - b.counter);
    },
    /* Writes fields of one record (state, answer, undone). */
    async change(id, fields) {
      const work = base.transaction("scans", "readwrite", { durability: "strict" });
      const record = await done(work.objectStore("scans").get(id));
      if (record) work.objectStore("scans").put({ ...record, ...fields });
      await finished(work);
      return record ? { ...record, ...fields } : null;
    },
    async sweep(now) {
      const work = base.transaction("scans", "readwrite");
      for (const row of await done(work.objectStore("scans").index("state").getAll("sent"))) {
        if (now - Date.parse(row.scanned_at) > DAY) work.objectStore("scans").delete(row.id);
      }
      await finished(work);
    },
  };
}

/* What the API takes: exactly these fields, so that a retry has the same body. */
export function wire(record) {
  const { id, code, session, scanned_at, counter } = record;
  return { id, code, session, scanned_at, counter };
}

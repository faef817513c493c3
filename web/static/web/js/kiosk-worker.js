/* The kiosk's service worker.  The server puts VERSION and SHELL in front (web/views/kiosk.py).
   Keeps exactly the kiosk's own page and program, each version whole in a cache of its own.
   Never keeps an answer of the API or a page of a person: whatever is not in SHELL goes to the
   network untouched.  A new version waits until the page says that no reception is open. */
const CACHE = `tsunagari-kiosk-${VERSION}`;
const PAGE = SHELL[0];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) =>
    cache.addAll(SHELL.map((url) => new Request(url, { cache: "reload", credentials: "omit" })))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("tsunagari-kiosk-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (!SHELL.includes(url.pathname) || url.search) return;
  const key = request.mode === "navigate" ? PAGE : url.pathname;
  event.respondWith((async () => (await (await caches.open(CACHE)).match(key, { ignoreVary: true })) || fetch(request))());
});

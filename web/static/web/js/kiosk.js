/* The reception screen of a host who is signed in (templates/web/host/kiosk.html): the same
   reception as on a paired tablet, in the host's own name.  An account may be open on several
   screens, so its scans carry no device counter.  The code is drawn here too, and goes on
   without network while the page is open. */
import { hostLink } from "./kiosk-link.js";
import { openReception } from "./kiosk-reception.js";
import { makeSender } from "./kiosk-send.js";
import { openStore } from "./kiosk-store.js";

const root = document.querySelector("[data-kiosk]");
const told = JSON.parse(document.getElementById("kiosk-page").textContent);
const states = JSON.parse(document.getElementById("kiosk-states").textContent);
const store = await openStore(`tsunagari-host-${told.user}`, { counted: false });
let reception = null;
const sender = makeSender({
  store, states, link: hostLink(told.api, root.dataset.csrf), checksIn: false,
  onNews: (news) => reception?.chip(news),
});
await store.sweep(Date.now());
await store.putSession(told.session);
const offset = Date.parse(told.server_time) - Date.now();
reception = openReception({
  root, store, sender, states, session: told.session, host: told.code_host,
  scheme: told.code_scheme, offset: async () => offset,
});
window.addEventListener("online", () => sender.now());
sender.now();

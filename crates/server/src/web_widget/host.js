// The page around the widget: who it is, and how a token is asked of it. Without one, the token stands in the address's
// fragment, which no server is sent.

const PATIENCE_MS = 15_000;
const given = new URLSearchParams(location.hash.slice(1));
const framed = window.parent !== window;
/** The only page that is listened to and told anything. */
const origin = given.get("origin");
let waiting = [];
let first = given.get("token");
const heard = { open: () => {} };

// The token is nothing for the history.
if (first) history.replaceState(null, "", location.pathname);

export const host = {
  framed,
  language: given.get("language"),
  theme: given.get("theme"),
  order: Number(given.get("order")) || null,
  returned: Number(given.get("return")) || null,
  /** Tells the page around. */
  tell(message) {
    if (framed && origin) window.parent.postMessage({ prilavok: 1, ...message }, origin);
  },
  onOpen(act) {
    heard.open = act;
  },
  /** A token; a fresh one where the last is over. */
  token(fresh) {
    if (first && !fresh) {
      return Promise.resolve(first);
    }
    if (!framed || !origin) return Promise.reject(new Error("there is nobody to ask for a token"));
    return new Promise((resolve, reject) => {
      waiting.push(resolve);
      setTimeout(() => reject(new Error("no token came")), PATIENCE_MS);
      host.tell({ want: "token", fresh });
    });
  },
};

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || event.origin !== origin || event.data?.prilavok !== 1) return;
  if (typeof event.data.token === "string") {
    first = null;
    for (const resolve of waiting.splice(0)) resolve(event.data.token);
  }
  if (event.data.opened) heard.open();
});

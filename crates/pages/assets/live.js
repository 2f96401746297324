// What happens, as the server tells it. Browsers open few connections to a server, so of all tabs one listens and tells
// the others; where it closes, another one takes over.

const RETRY_MS = 3000;
const listeners = [];
// The counter listens to its business, the desk to all of them.
const address = document.querySelector("[data-events]")?.dataset.events ?? "/ui/events";
const channel = "BroadcastChannel" in window ? new BroadcastChannel(`prilavok-live ${address}`) : null;

/// Calls `heard` with `{chat}` when something happened in a chat, with `{chat: null}` when anything may have happened, and
/// with `{connected}` when the connection comes or goes.
export function listen(heard) {
  listeners.push(heard);
}

function tellHere(news) {
  for (const heard of listeners) heard(news);
}

function tell(news) {
  tellHere(news);
  channel?.postMessage(news);
}

function connect() {
  const source = new EventSource(address);
  // After a break the page looks for itself: that is the same as going on.
  source.onopen = () => {
    tell({ connected: true });
    tell({ chat: null });
  };
  source.onerror = () => {
    tell({ connected: false });
    if (source.readyState !== EventSource.CLOSED) return;
    // Refused: a look at the page says whether one is signed out.
    tell({ chat: null });
    setTimeout(connect, RETRY_MS);
  };
  for (const kind of ["CHAT_CREATED", "CHAT_MESSAGE_SENT", "CHAT_ARBITRAGE_STARTED", "CHAT_ARBITRAGE_FINISHED"]) {
    source.addEventListener(kind, (event) => tell({ chat: JSON.parse(event.data).chatId }));
  }
  source.addEventListener("gap", () => tell({ chat: null }));
}

export function start() {
  if (!channel || !navigator.locks) return connect();
  channel.onmessage = (event) => tellHere(event.data);
  // Held until the tab is closed.
  navigator.locks.request(`prilavok-live ${address}`, () => new Promise(connect));
}

// The arbiter's desk: the list of disputes and the one that is open, kept up to date.
import { listen, start } from "./live.js";
import { part, soon } from "./part.js";
import { showTimes } from "./times.js";

// All businesses are heard here: however much happens, the list is looked at once in this time.
const PAUSE_MS = 1000;

const list = document.getElementById("list");
const open = document.querySelector("[data-dispute]");
const log = document.querySelector("[data-log]");

function put(place, found) {
  // What did not change is left alone: a reader may be about to click it.
  if (found.innerHTML.trim() === place.innerHTML.trim()) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.chat : null;
  place.replaceChildren(...found.childNodes);
  if (focused) place.querySelector(`[data-chat="${focused}"]`)?.focus();
}

// Whoever listens to the page hears of new messages only.
function add(messages, found) {
  const known = (one) => messages.querySelector(`[data-message="${one.dataset.message}"]`);
  const all = [...found.querySelectorAll("[data-message]")];
  // More came than a page has, or these are the first ones.
  if (!all.some(known)) return put(messages, found);
  for (const one of all) if (!known(one)) messages.append(one);
}

const refresh = soon(async () => {
  const query = new URLSearchParams(location.search);
  if (open) query.set("current", open.dataset.dispute.split("/").pop());
  const found = await part(`/ui/arbiter/list?${query}`);
  if (!found) return false;
  showTimes(found);
  put(list, found.body);
  await new Promise((done) => setTimeout(done, PAUSE_MS));
});

const look = soon(async () => {
  const found = await part(`${open.dataset.dispute}/news${location.search}`);
  if (!found) return false;
  showTimes(found);
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  for (const one of found.querySelectorAll("[data-part]")) {
    const place = document.getElementById(one.dataset.part);
    if (place.id === "messages") add(place, one);
    else put(place, one);
  }
  document.querySelector("[data-decide]").hidden = Boolean(found.querySelector("[data-finished]"));
  if (atEnd) log.scrollTop = log.scrollHeight;
});

if (log) log.scrollTop = log.scrollHeight;
list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

listen((news) => {
  if ("connected" in news) {
    document.querySelector("[data-offline]").hidden = news.connected;
    return;
  }
  refresh();
  const chats = open?.dataset.chats.split(" ") ?? [];
  if (open && (news.chat === null || chats.includes(String(news.chat)))) look();
});
start();

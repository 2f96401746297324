// The counter: the list, kept up to date, and what is open beside it.
import { listen, start } from "./live.js";
import { part, soon } from "./part.js";
import { showTimes } from "./times.js";
import { conversation } from "./conversation.js";
import "./keys.js";

const list = document.getElementById("list");
const open = conversation();

const refresh = soon(async () => {
  const query = new URLSearchParams(location.search);
  if (open) query.set("current", open.chat);
  const found = await part(`/ui/list?${query}`);
  if (!found) return false;
  showTimes(found);
  // What did not change is left alone: a reader may be about to click it.
  if (found.body.innerHTML.trim() === list.innerHTML.trim()) return;
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.chat : null;
  const top = list.scrollTop;
  list.replaceChildren(...found.body.childNodes);
  list.scrollTop = top;
  if (focused) list.querySelector(`[data-chat="${focused}"]`)?.focus();
});

list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });

listen((news) => {
  if ("connected" in news) {
    document.querySelector("[data-offline]").hidden = news.connected;
    return;
  }
  refresh();
  open?.look(news.chat);
});
start();

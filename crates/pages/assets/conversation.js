// An open chat: new messages come by themselves, earlier ones on demand.
import { compose } from "./compose.js";
import { part, soon } from "./part.js";
import { showTimes } from "./times.js";

/// The chat that is open on the page, if there is one.
export function conversation() {
  const section = document.querySelector(".conversation");
  if (!section) return null;
  const chat = section.dataset.chat;
  const log = section.querySelector("[data-log]");
  const messages = document.getElementById("messages");
  const form = section.querySelector("[data-reply]");
  const jump = section.querySelector("[data-jump]");

  const scrolls = () => log.scrollHeight > log.clientHeight + 1 && getComputedStyle(log).overflowY === "auto";
  const atEnd = () =>
    scrolls()
      ? log.scrollHeight - log.scrollTop - log.clientHeight < 80
      : document.documentElement.scrollHeight - scrollY - innerHeight < 400;
  const toEnd = () => {
    if (scrolls()) log.scrollTop = log.scrollHeight;
    else messages.lastElementChild?.scrollIntoView({ block: "end" });
    jump.hidden = true;
  };

  /// Puts a message with the others, unless it is there.
  function add(message) {
    if (document.getElementById(message.id)) return false;
    const pending = messages.querySelector(".pending, .failed");
    messages.insertBefore(message, pending);
    section.dataset.last = Math.max(section.dataset.last, message.dataset.message);
    return true;
  }

  async function seen() {
    if (document.visibilityState !== "visible") return;
    const headers = { "X-Part": "1", "X-CSRF-Token": section.dataset.csrf };
    await fetch(`/ui/chats/${chat}/seen`, { method: "POST", headers }).catch(() => null);
  }

  const look = soon(async () => {
    for (;;) {
      const found = await part(`/ui/chats/${chat}/news?after=${section.dataset.last}`);
      if (!found) return false;
      const follow = atEnd();
      showTimes(found);
      for (const name of ["chat-head", "card", "reply-state"]) {
        const place = document.getElementById(name);
        const now = found.querySelector(`[data-part="${name}"]`);
        // What did not change is left alone: a reader may be in the middle of it.
        if (place.innerHTML.trim() !== now.innerHTML.trim()) place.replaceChildren(...now.childNodes);
      }
      if (form) form.hidden = Boolean(section.querySelector("[data-closed]"));
      const added = [...found.querySelectorAll(".message")].filter(add);
      if (added.length === 0) return;
      if (follow) toEnd();
      else jump.hidden = false;
      await seen();
    }
  });

  messages.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-earlier] a");
    if (!link) return;
    event.preventDefault();
    const found = await part(`/ui/chats/${chat}/earlier${new URL(link.href).search}`);
    if (!found) return;
    const from = log.scrollHeight - log.scrollTop;
    const items = [...found.body.querySelectorAll("li")];
    showTimes(found);
    link.closest("li").replaceWith(...items);
    log.scrollTop = log.scrollHeight - from;
    log.focus();
  });
  jump.addEventListener("click", toEnd);
  document.addEventListener("visibilitychange", seen);

  if (form) compose(form, { chat, messages, add, toEnd });
  if (!new URLSearchParams(location.search).has("before")) toEnd();

  return { chat, look: (where) => where === null || String(where) === chat ? look() : undefined };
}

// The widget: the list of the customer's chats, and the one that is open.

import { Api, Refused, newKey } from "./api.js";
import { listen } from "./live.js";
import { TEXTS, chosen } from "./texts.js";
import { element } from "./safe.js";
import { host } from "./host.js";
import { Log } from "./log.js";
import { drafts, remembered } from "./memory.js";

const PAGE = 30;
const MAX_FILES = 10;
const MAX_FILE_BYTES = 5 * 1024 * 1024;
const DISPUTABLE = ["ORDER", "RETURN"];

const $ = (id) => document.getElementById(id);
const api = new Api((fresh) => host.token(fresh));
const state = {
  language: chosen([remembered.get("language"), host.language, ...navigator.languages]),
  me: null,
  chats: new Map(),
  next: null,
  unread: new Set(),
  open: null,
  oldest: null,
  newest: 0,
  pending: new Map(),
  showing: null,
};
const t = (name, values = {}) =>
  (TEXTS[state.language][name] ?? name).replace(/\{(\w+)\}/g, (all, key) => values[key] ?? all);
const log = new Log($("log"), () => state.language, t);

if (host.theme === "light" || host.theme === "dark") document.documentElement.classList.add(host.theme);

function say(problem) {
  $("notice").textContent = problem ?? "";
  $("notice").hidden = !problem;
}

function told(error) {
  if (!(error instanceof Refused)) return t("noToken");
  switch (error.code) {
    case "OFFLINE": return t("offline");
    case "TOO_MANY_REQUESTS": return t("tooMuch");
    case "BUSINESS_DISABLED": case "BUSINESS_MIGRATING": return t("closed");
    case "RULE_VIOLATED": return t("rule");
    case "UNAUTHORIZED": case "NOT_CONFIGURED": return t("noToken");
    default: return t("wrong", { what: error.message || error.status });
  }
}

function nameOf(chat) {
  const { type, orderId, returnId } = chat.context;
  const what = type === "ORDER" ? t("order", { id: orderId })
    : type === "RETURN" ? t("returned", { id: returnId }) : t("direct");
  return chat.type === "ARBITRAGE" ? t("disputeOf", { what }) : what;
}

function moment(iso) {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  const style = today ? { timeStyle: "short" } : { dateStyle: "medium" };
  return new Intl.DateTimeFormat(state.language, style).format(at);
}

// --- The list

function renderList() {
  const chats = [...state.chats.values()];
  chats.sort((a, b) => b.updatedAt.localeCompare(a.updatedAt) || b.chatId - a.chatId);
  renderAround(chats);
  // What somebody is about to click, or has read out, is left alone while it stays the same.
  const showing = JSON.stringify([state.language, chats, [...state.unread]]);
  if (showing === state.showing) return;
  state.showing = showing;
  const focused = document.activeElement?.dataset?.chat;
  $("chats").replaceChildren(...chats.map((chat) => {
    const button = element("button");
    button.type = "button";
    button.dataset.chat = chat.chatId;
    const time = element("time", "", moment(chat.updatedAt));
    time.dateTime = chat.updatedAt;
    button.append(element("span", "", nameOf(chat)), time, element("span", "faint", t(chat.status)));
    if (state.unread.has(chat.chatId)) button.append(element("span", "unread", t("unread")));
    button.onclick = () => openChat(chat.chatId);
    const item = element("li");
    item.append(button);
    return item;
  }));
  if (focused) document.querySelector(`#chats [data-chat="${Number(focused)}"]`)?.focus();
}

function renderAround(chats) {
  $("empty").hidden = chats.length > 0 || !state.me;
  $("more").hidden = !state.next;
  const start = startable();
  $("start").hidden = !state.me || !start;
  if (start) $("start").textContent = start.text;
  host.tell({ unread: state.unread.size });
}

/** The chat that may be started from here, unless it is there already. */
function startable() {
  const returned = state.me?.returnId ?? host.returned;
  const order = state.me?.orderId ?? host.order;
  const context = returned ? { type: "RETURN", id: returned } : order ? { type: "ORDER", id: order } : { type: "DIRECT" };
  const there = [...state.chats.values()].some((chat) => chat.type === "CHAT" && chat.context.type === context.type
    && (context.type === "DIRECT" || context.id === (chat.context.returnId ?? chat.context.orderId)));
  if (there) return null;
  const names = { RETURN: "askReturn", ORDER: "askOrder", DIRECT: "ask" };
  return { context, text: t(names[context.type], { id: context.id }) };
}

async function loadChats(cursor) {
  const page = await api.get(`/chats?limit=${PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  for (const chat of page.items) state.chats.set(chat.chatId, chat);
  if (cursor || state.next === null) state.next = page.nextCursor ?? null;
  renderList();
}

// --- The open chat

function renderChat() {
  const chat = state.chats.get(state.open);
  $("list").hidden = Boolean(chat);
  $("chat").hidden = !chat;
  $("back").hidden = !chat;
  $("title").textContent = chat ? nameOf(chat) : state.me?.businessName ?? "…";
  if (!chat) return;
  $("status").textContent = t(chat.status);
  $("dispute").hidden = chat.type !== "CHAT" || !DISPUTABLE.includes(chat.context.type) || disputed(chat);
  const over = chat.type === "ARBITRAGE" && chat.status === "FINISHED";
  for (const id of ["text", "send", "attach"]) $(id).disabled = over;
}

function disputed(chat) {
  const { type, orderId, returnId } = chat.context;
  return [...state.chats.values()].some((other) => other.type === "ARBITRAGE" && other.status !== "FINISHED"
    && other.context.type === type && other.context.orderId === orderId && other.context.returnId === returnId);
}

async function openChat(id) {
  state.open = id;
  state.unread.delete(id);
  state.oldest = null;
  state.newest = 0;
  log.clear();
  $("older").hidden = true;
  renderChat();
  renderList();
  $("text").value = drafts.get(draftOf(id));
  grow();
  $("text").focus();
  for (const pending of state.pending.get(id) ?? []) showPending(pending);
  await attempt(() => loadOlder());
}

function draftOf(id) {
  return `${state.me?.businessId}:${state.me?.customerId}:${id}`;
}

async function loadOlder() {
  const id = state.open;
  const cursor = state.oldest ? `&cursor=${encodeURIComponent(state.oldest)}` : "";
  const first = !state.oldest;
  const page = await api.get(`/chats/${id}/messages?order=NEWEST_FIRST&limit=${PAGE}${cursor}`);
  if (state.open !== id) return;
  state.oldest = page.nextCursor ?? null;
  $("older").hidden = !state.oldest;
  const height = $("scroll").scrollHeight;
  for (const message of page.items) {
    state.newest = Math.max(state.newest, message.messageId);
    log.add(message);
  }
  $("scroll").scrollTop = first ? $("scroll").scrollHeight : $("scroll").scrollHeight - height;
}

async function loadNewer() {
  const id = state.open;
  for (;;) {
    const page = await api.get(`/chats/${id}/messages?messageIdFrom=${state.newest || 1}&limit=100`);
    if (state.open !== id) return;
    const box = $("scroll");
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
    for (const message of page.items) {
      state.newest = Math.max(state.newest, message.messageId);
      log.add(message);
    }
    if (atEnd) box.scrollTop = box.scrollHeight;
    if (!page.nextCursor) return;
  }
}

async function refreshChat(id) {
  state.chats.set(id, await api.get(`/chats/${id}`));
  renderList();
  renderChat();
}

async function attempt(act) {
  try {
    await act();
    say(null);
  } catch (error) {
    say(told(error));
  }
}

// --- Sending: what is written shows at once, and stays with a way to try again when it failed.

function send(sending) {
  const pending = { chat: state.open, key: newKey(), progress: null, failed: null, ...sending };
  state.pending.set(pending.chat, [...(state.pending.get(pending.chat) ?? []), pending]);
  showPending(pending);
  $("scroll").scrollTop = $("scroll").scrollHeight;
  deliver(pending);
}

function showPending(pending) {
  if (pending.chat !== state.open) return;
  log.pending(pending, { retry: () => deliver(pending), discard: () => forget(pending) });
}

function forget(pending) {
  const rest = (state.pending.get(pending.chat) ?? []).filter((one) => one !== pending);
  state.pending.set(pending.chat, rest);
  log.remove(pending.key);
}

async function deliver(pending) {
  pending.failed = null;
  pending.progress = pending.files ? 0 : null;
  showPending(pending);
  try {
    const path = `/chats/${pending.chat}`;
    const message = pending.files
      ? await api.upload(`${path}/files`, pending.files, pending.key, (part) => {
        pending.progress = part;
        showPending(pending);
      })
      : await api.post(`${path}/messages`, { message: pending.text }, pending.key);
    forget(pending);
    if (state.open === pending.chat) {
      log.add(message);
      $("scroll").scrollTop = $("scroll").scrollHeight;
    }
    attempt(() => refreshChat(pending.chat));
  } catch (error) {
    pending.failed = error.code === "OFFLINE" ? "" : told(error);
    showPending(pending);
  }
}

function attach(files) {
  const chosenFiles = [...files];
  const large = chosenFiles.find((file) => file.size > MAX_FILE_BYTES);
  const empty = chosenFiles.find((file) => file.size === 0);
  if (chosenFiles.length > MAX_FILES) return say(t("tooMany"));
  if (large) return say(t("tooLarge", { name: large.name }));
  if (empty) return say(t("emptyFile", { name: empty.name }));
  if (chosenFiles.length) send({ files: chosenFiles });
}

function grow() {
  $("text").style.height = "auto";
  $("text").style.height = `${Math.min($("text").scrollHeight + 2, 120)}px`;
}

// --- What happens elsewhere

function happened(event, data) {
  if (event === "gap") {
    attempt(async () => {
      await loadChats();
      if (state.open) await loadNewer();
    });
    return;
  }
  const id = data.chatId;
  attempt(async () => {
    if (event === "CHAT_MESSAGE_SENT") {
      if (id === state.open) await loadNewer();
      else state.unread.add(id);
    }
    await refreshChat(id);
  });
}

// --- Words

function word() {
  document.documentElement.lang = state.language === "zh" ? "zh-CN" : state.language;
  document.title = t("chats");
  $("language").value = state.language;
  for (const [id, name] of [["language", "language"], ["back", "back"], ["close", "close"], ["attach", "attach"],
    ["send", "send"], ["text", "write"], ["log", "log"], ["scroll", "log"]]) $(id).setAttribute("aria-label", t(name));
  $("chats").setAttribute("aria-label", t("chats"));
  $("text").placeholder = t("write");
  for (const [id, name] of [["empty", "empty"], ["more", "more"], ["older", "older"], ["dispute", "dispute"],
    ["question", "disputeQuestion"], ["consequence", "disputeConsequence"], ["yes", "disputeYes"], ["no", "no"]]) {
    $(id).textContent = t(name);
  }
  renderList();
  renderChat();
  log.word();
  for (const pending of state.pending.get(state.open) ?? []) showPending(pending);
}

// --- Hands

$("language").onchange = () => {
  state.language = chosen([$("language").value]);
  remembered.set("language", state.language);
  word();
};
$("back").onclick = () => {
  const id = state.open;
  state.open = null;
  renderChat();
  renderList();
  document.querySelector(`#chats [data-chat="${id}"]`)?.focus();
};
$("close").hidden = !host.framed;
$("close").onclick = () => host.tell({ want: "close" });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("confirm").open) return;
  if (state.open) $("back").click();
  else host.tell({ want: "close" });
});
$("more").onclick = () => attempt(() => loadChats(state.next));
$("older").onclick = () => attempt(loadOlder);
$("start").onclick = () => attempt(async () => {
  const { context } = startable();
  const chat = await api.post("/chats", { context }, newKey());
  state.chats.set(chat.chatId, chat);
  await openChat(chat.chatId);
});
$("form").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  $("text").value = "";
  drafts.set(draftOf(state.open), "");
  grow();
  send({ text });
};
$("text").oninput = () => {
  drafts.set(draftOf(state.open), $("text").value);
  grow();
};
$("text").onkeydown = (event) => {
  // Enter that chooses a word of an input method is not meant for us.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("form").requestSubmit();
};
$("attach").onclick = () => $("files").click();
$("files").onchange = () => {
  say(null);
  attach($("files").files);
  $("files").value = "";
};
$("dispute").onclick = () => {
  $("confirm").returnValue = "";
  $("confirm").showModal();
};
$("confirm").onclose = () => {
  if ($("confirm").returnValue !== "yes") return $("dispute").focus();
  attempt(async () => {
    const chat = await api.post(`/chats/${state.open}/arbitration`, undefined, newKey());
    state.chats.set(chat.chatId, chat);
    await openChat(chat.chatId);
  });
};
host.onOpen(() => {
  if (state.open) $("text").focus();
  else $("title").focus();
});

word();
host.tell({ want: "ready" });
attempt(async () => {
  state.me = await api.get("/me");
  await loadChats();
  renderChat();
  listen(api, happened, (there, first, error) => {
    // What happened before the first stream began is told by none; what a later one missed it is told.
    if (there && first) attempt(async () => {
      await loadChats();
      if (state.open) await loadNewer();
    });
    else if (there) say(null);
    else if (error) say(told(error));
  });
});

// The box to reply in: a draft that is kept, files, and messages that are on their way.

import { showTimes } from "./times.js";

const MAX_BYTES = 5 * 1024 * 1024;
const MAX_FILES = 10;

/// Sends what is written in `form` into a chat.
export function compose(form, { chat, messages, add, toEnd }) {
  const words = form.dataset;
  const section = form.closest(".conversation");
  const text = form.querySelector("textarea");
  const chooser = form.querySelector("input[type=file]");
  const attached = form.querySelector("[data-attached]");
  const alert = form.querySelector("[data-reply-alert]");
  const saved = form.querySelector("[data-saved]");
  const draft = `prilavok-draft-${chat}`;
  /// Messages that the server has not taken yet.
  const unsent = new Set();
  let files = [];

  // What was not taken is kept as well: after a reload it is in the box again.
  function keep() {
    const all = [...unsent].map((message) => message.text);
    const kept = [...all, text.value].filter((one) => one.trim()).join("\n\n");
    if (kept) localStorage.setItem(draft, kept);
    else localStorage.removeItem(draft);
  }

  function complain(sentence) {
    alert.textContent = sentence ?? "";
    alert.hidden = !sentence;
  }

  function attach(more) {
    complain();
    for (const file of more) {
      if (file.size > MAX_BYTES) complain(`${words.tooLarge} ${file.name}`);
      else if (files.length === MAX_FILES) complain(words.tooMany);
      else files.push(file);
    }
    showFiles();
  }

  function showFiles() {
    attached.replaceChildren(
      ...files.map((file) => {
        const item = document.createElement("li");
        item.append(...preview(file), bdi(file.name));
        const remove = button(words.remove, () => {
          files = files.filter((other) => other !== file);
          showFiles();
          text.focus();
        });
        remove.setAttribute("aria-label", `${words.remove} ${file.name}`);
        item.append(remove);
        return item;
      }),
    );
  }

  function send(message) {
    const body = new FormData();
    body.append("csrf", section.dataset.csrf);
    body.append("once", message.once);
    body.append("text", message.text);
    for (const file of message.files) body.append("file", file, file.name);
    message.show();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-Part", "1");
    request.upload.onprogress = (event) => message.progress(event.loaded / event.total);
    request.onerror = () => message.fail(words.noAnswer);
    request.onload = () => {
      if (request.status === 401) return location.reload();
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      if (request.status !== 201) {
        return message.fail(answer.querySelector(".alert")?.textContent ?? words.noAnswer);
      }
      unsent.delete(message);
      message.item.remove();
      showTimes(answer);
      add(answer.querySelector(".message"));
      keep();
      toEnd();
    };
    request.send(body);
  }

  function pending(content) {
    const item = document.createElement("li");
    const state = document.createElement("div");
    state.className = "state";
    state.setAttribute("role", "status");
    const meta = document.createElement("p");
    meta.className = "meta";
    meta.textContent = words.you;
    const shown = document.createElement("p");
    shown.className = "text";
    shown.dir = "auto";
    shown.textContent = content.text;
    item.append(meta);
    if (content.text.trim()) item.append(shown);
    for (const file of content.files) {
      const line = document.createElement("p");
      line.className = "file";
      line.append(...preview(file), bdi(file.name));
      item.append(line);
    }
    item.append(state);
    const message = {
      ...content,
      item,
      show() {
        item.className = "message own pending";
        state.replaceChildren(words.sending);
      },
      progress(done) {
        if (!content.files.length) return;
        const bar = document.createElement("progress");
        bar.value = done;
        bar.setAttribute("aria-label", words.sending);
        state.replaceChildren(bar);
      },
      fail(why) {
        item.className = "message own failed";
        const again = button(words.retry, () => send(message));
        const edit = button(words.edit, () => {
          unsent.delete(message);
          item.remove();
          text.value = [content.text, text.value].filter(Boolean).join("\n\n");
          files = [...content.files, ...files];
          showFiles();
          keep();
          text.focus();
        });
        state.replaceChildren(`${words.failed} ${why}`, again, edit);
      },
    };
    return message;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    complain();
    if (!text.value.trim() && files.length === 0) {
      complain(words.empty);
      text.focus();
      return;
    }
    const message = pending({ text: text.value, files, once: random() });
    unsent.add(message);
    messages.append(message.item);
    text.value = "";
    files = [];
    showFiles();
    keep();
    toEnd();
    send(message);
    text.focus();
  });

  text.addEventListener("input", keep);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  text.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    attach(event.clipboardData.files);
  });
  chooser.addEventListener("change", () => {
    attach(chooser.files);
    chooser.value = "";
  });
  saved?.addEventListener("change", async () => {
    const answer = await fetch(`/ui/replies/${saved.value}/text`).catch(() => null);
    saved.value = "";
    if (!answer?.ok) return complain(words.noAnswer);
    const filled = (await answer.text())
      .replaceAll("{customer}", () => section.dataset.customer)
      .replaceAll("{order}", () => section.dataset.order);
    text.setRangeText(filled, text.selectionStart, text.selectionEnd, "end");
    keep();
    text.focus();
  });

  const carriesFiles = (event) => event.dataTransfer.types.includes("Files");
  section.addEventListener("dragover", (event) => {
    if (!carriesFiles(event) || form.hidden) return;
    event.preventDefault();
    form.classList.add("dropping");
  });
  section.addEventListener("dragleave", (event) => {
    if (!section.contains(event.relatedTarget)) form.classList.remove("dropping");
  });
  section.addEventListener("drop", (event) => {
    if (!carriesFiles(event) || form.hidden) return;
    event.preventDefault();
    form.classList.remove("dropping");
    attach(event.dataTransfer.files);
  });

  text.value = localStorage.getItem(draft) ?? "";
}

/// A picture of a file that is one.
function preview(file) {
  if (!/^image\/(png|jpeg|gif|webp|avif)$/.test(file.type)) return [];
  const picture = document.createElement("img");
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  picture.onload = () => URL.revokeObjectURL(picture.src);
  return [picture];
}

function bdi(text) {
  const element = document.createElement("bdi");
  element.textContent = text;
  return element;
}

function button(label, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "quiet";
  element.textContent = label;
  element.addEventListener("click", act);
  return element;
}

/// A key that no other message has. (`randomUUID` is there on encrypted connections only.)
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

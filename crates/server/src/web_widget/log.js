// The messages of a chat on the screen: in their order, each once, whatever order they come in.

import { element, fill, ownFile } from "./safe.js";

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export class Log {
  constructor(box, language, t) {
    this.box = box;
    this.language = language;
    this.t = t;
    this.clear();
  }

  clear() {
    this.shown = new Map();
    this.box.replaceChildren();
  }

  /** Shows a message, unless it is shown already. */
  add(message) {
    if (this.shown.has(message.messageId)) return;
    const bubble = this.bubble(message);
    this.shown.set(message.messageId, { message, bubble });
    const after = [...this.box.children].find((one) => one.dataset.id === undefined && one.dataset.key !== undefined
      || Number(one.dataset.id) > message.messageId);
    this.box.insertBefore(bubble, after ?? null);
    this.separate();
  }

  /** Shows what is being sent, or was not. */
  pending(pending, { retry, discard }) {
    const bubble = element("div", "message own");
    bubble.dataset.key = pending.key;
    if (pending.text) {
      const text = element("p");
      text.dir = "auto";
      fill(text, pending.text);
      bubble.append(text);
    }
    for (const file of pending.files ?? []) bubble.append(this.named(element("span", "file"), file.name, file.size));
    const foot = element("div", "foot");
    if (pending.failed === null) {
      if (pending.progress !== null) {
        const progress = element("progress");
        progress.max = 1;
        progress.value = pending.progress;
        progress.setAttribute("aria-label", this.t("uploading"));
        bubble.append(progress);
      }
      foot.append(this.t("sending"));
    } else {
      bubble.classList.add("failed");
      const again = element("button", "plain retry", this.t("retry"));
      const away = element("button", "plain", this.t("discard"));
      again.onclick = retry;
      away.onclick = discard;
      for (const button of [again, away]) button.type = "button";
      foot.append(element("span", "", `${this.t("failed")} ${pending.failed}`), again, away);
    }
    bubble.append(foot);
    const there = this.box.querySelector(`[data-key="${pending.key}"]`);
    if (there) there.replaceWith(bubble);
    else this.box.append(bubble);
  }

  remove(key) {
    this.box.querySelector(`[data-key="${key}"]`)?.remove();
  }

  /** Shows all of it anew, in another language. */
  word() {
    for (const one of this.shown.values()) {
      const bubble = this.bubble(one.message);
      one.bubble.replaceWith(bubble);
      one.bubble = bubble;
    }
    this.separate();
  }

  bubble(message) {
    const own = message.sender === "CUSTOMER";
    const bubble = element("div", own ? "message own" : "message");
    bubble.dataset.id = message.messageId;
    bubble.append(element("div", "who", this.t(own ? "you" : message.sender)));
    if (message.message) {
      const text = element("p");
      text.dir = "auto";
      fill(text, message.message);
      bubble.append(text);
    }
    for (const file of message.files) bubble.append(this.file(file));
    const time = element("time", "", new Intl.DateTimeFormat(this.language(), { timeStyle: "short" })
      .format(new Date(message.createdAt)));
    time.dateTime = message.createdAt;
    const foot = element("div", "foot");
    foot.append(time);
    bubble.append(foot);
    return bubble;
  }

  file(file) {
    // What was removed is named and leads nowhere.
    const path = file.removedAt ? null : ownFile(file.url);
    const shown = element(path ? "a" : "span", "file");
    if (path) {
      shown.href = path;
      shown.rel = "noopener noreferrer nofollow";
      shown.download = file.name;
      if (PICTURES.includes(file.mediaType)) {
        const picture = element("img");
        picture.src = path;
        picture.alt = "";
        picture.loading = "lazy";
        shown.append(picture);
      }
    }
    this.named(shown, file.name, file.size);
    if (file.removedAt) shown.append(` · ${this.t("fileGone")}`);
    return shown;
  }

  /** Puts a file's name and size into an element; the name cannot turn around what stands beside it. */
  named(into, name, size) {
    const isolated = element("bdi", "", name);
    const [before, after] = this.t("file", { size: this.size(size) }).split("{name}");
    into.append(before ?? "", isolated, after ?? "");
    return into;
  }

  size(bytes) {
    const [amount, unit] = bytes < 1024 ? [bytes, "byte"]
      : bytes < 1024 * 1024 ? [bytes / 1024, "kilobyte"] : [bytes / 1024 / 1024, "megabyte"];
    const style = { style: "unit", unit, maximumFractionDigits: amount < 10 ? 1 : 0 };
    return new Intl.NumberFormat(this.language(), style).format(amount);
  }

  /** Puts each day's date before its first message. */
  separate() {
    for (const old of this.box.querySelectorAll(".day")) old.remove();
    let last = null;
    for (const bubble of [...this.box.querySelectorAll("[data-id]")]) {
      const at = new Date(this.shown.get(Number(bubble.dataset.id)).message.createdAt);
      const day = at.toDateString();
      if (day !== last) {
        const format = new Intl.DateTimeFormat(this.language(), { dateStyle: "long" });
        bubble.before(element("div", "day", format.format(at)));
      }
      last = day;
    }
  }
}

// Outside text put into the page: as text, never as markup.

const LINK = /https?:\/\/[^\s<>"'`]+/gi;
/** What ends a sentence and no address. */
const TAIL = /[.,;:!?…)\]}»”。，；：！？）】》]+$/u;

/** An element with a class and a text. */
export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A link that leads to http or https; nothing for anything else. */
export function link(address, text) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const made = element("a", "", text);
  made.href = url.href;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  return made;
}

/** Puts a text into an element, its web addresses as links. */
export function fill(into, text) {
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const address = found[0].replace(TAIL, "");
    const made = link(address, address);
    if (!made) continue;
    into.append(text.slice(from, found.index), made);
    from = found.index + address.length;
  }
  into.append(text.slice(from));
}

/** The path of one of the server's own links to files; nothing for anything else. */
export function ownFile(address) {
  try {
    const url = new URL(address);
    return url.pathname.startsWith("/files/") ? url.pathname + url.search : null;
  } catch {
    return null;
  }
}

// The keyboard. Single keys can be switched off, since whoever dictates to the computer presses them by chance.

const OFF = "prilavok-keys-off";
const help = document.getElementById("help");
const single = help.querySelector("[data-single-keys]");

single.checked = !localStorage.getItem(OFF);
single.addEventListener("change", () => {
  if (single.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
});
document.querySelector("[data-help]").addEventListener("click", () => help.showModal());

/// Moves the focus to the chat that is `by` places further in the list.
function move(by) {
  const links = [...document.querySelectorAll(".chats a")].filter((link) => link.offsetParent);
  const focused = links.indexOf(document.activeElement);
  const from = focused >= 0 ? focused : links.findIndex((link) => link.hasAttribute("aria-current"));
  const to = from < 0 ? 0 : Math.min(Math.max(from + by, 0), links.length - 1);
  links[to]?.focus();
}

function leave() {
  if (document.activeElement?.matches("input, textarea, select")) {
    (document.querySelector("[data-log]") ?? document.getElementById("main")).focus();
  } else {
    const back = document.querySelector(".back");
    if (back) location.href = back.href;
  }
}

const acts = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => document.querySelector(".filter input[type=search], .filter select").focus(),
  r: () => document.querySelector("[data-reply]:not([hidden]) textarea")?.focus(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || help.open) return;
  if (event.key === "Escape") return leave();
  if (!single.checked || event.target.matches("input, textarea, select")) return;
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

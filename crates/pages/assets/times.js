// Times in the reader's own zone and language.

const language = document.documentElement.lang;
const full = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const year = new Intl.DateTimeFormat(language, { dateStyle: "medium" });

function short(date) {
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  return (date.getFullYear() === now.getFullYear() ? day : year).format(date);
}

function span(since) {
  const minutes = Math.floor(Math.max(0, Date.now() - since) / 60000);
  if (minutes < 1) return null;
  const [value, unit] =
    minutes < 60 ? [minutes, "minute"] : minutes < 1440 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" }).format(value);
}

export function showTimes(root) {
  for (const time of root.querySelectorAll("time[data-time]")) {
    const date = new Date(time.dateTime);
    time.textContent = time.dataset.time === "short" ? short(date) : full.format(date);
    time.title = full.format(date);
  }
  showSpans(root);
}

function showSpans(root) {
  for (const element of root.querySelectorAll("[data-span]")) {
    const text = span(new Date(element.dataset.span));
    if (text) element.textContent = text;
  }
}

setInterval(() => showSpans(document), 30000);

// Loaded by every page.
import { showTimes } from "./times.js";

showTimes(document);

// A choice of language or theme acts at once.
for (const form of document.querySelectorAll("[data-preferences]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

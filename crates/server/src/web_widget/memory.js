// What the browser remembers for the widget. A page of another site may be forbidden to remember anything: then it is
// kept while the page is open.

const kept = new Map();

function at(name) {
  return {
    get(key) {
      try {
        return localStorage.getItem(`prilavok.${name}.${key}`) ?? "";
      } catch {
        return kept.get(`${name}.${key}`) ?? "";
      }
    },
    set(key, value) {
      try {
        if (value) localStorage.setItem(`prilavok.${name}.${key}`, value);
        else localStorage.removeItem(`prilavok.${name}.${key}`);
      } catch {
        kept.set(`${name}.${key}`, value);
      }
    },
  };
}

/** What was written and not sent yet, by chat. */
export const drafts = at("draft");
/** What was chosen by hand. */
export const remembered = at("widget");

// Puts the chat into a shop's page:
//
//   <script src="https://chat.example.com/ui/widget.js" data-token-url="/my/chat-token" async></script>
//
// A button at the corner opens the chat, which is a frame of the chat server: nothing of it can reach the page, nor the
// page it. When the chat needs a token, this asks data-token-url (with the page's cookies; the answer is the token, or JSON
// with a field `token`), or calls the function of the page that data-token-function names, or takes data-token.
// data-order, data-return, data-language, data-theme and data-label are optional.
(() => {
  "use strict";
  const script = document.currentScript;
  const server = new URL(script.src).origin;
  const wanted = script.dataset;
  const labels = { en: "Chat with the seller", ru: "Чат с продавцом", zh: "联系卖家" };
  const language = (wanted.language || navigator.language || "en").slice(0, 2);
  const label = wanted.label || labels[language] || labels.en;
  const dark = wanted.theme === "dark" || (wanted.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  let frame = null;

  async function token() {
    if (wanted.tokenFunction) return window[wanted.tokenFunction]();
    if (!wanted.tokenUrl) return wanted.token;
    const answer = await fetch(wanted.tokenUrl, { credentials: "include", cache: "no-store" });
    if (!answer.ok) throw new Error(`${wanted.tokenUrl} answered ${answer.status}`);
    const text = (await answer.text()).trim();
    return text.startsWith("{") ? JSON.parse(text).token : text;
  }

  // Styles by property, not by attribute: a page whose policy forbids inline styles allows this.
  function style(element, properties) {
    for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  }

  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  button.setAttribute("aria-expanded", "false");
  style(button, {
    position: "fixed", right: "16px", bottom: "16px", "z-index": "2147483000", padding: "0 18px", height: "48px",
    border: "0", "border-radius": "24px", background: dark ? "#8ab4ff" : "#0b57d0", color: dark ? "#0c1b33" : "#fff",
    font: "600 16px/48px system-ui, sans-serif", cursor: "pointer", "box-shadow": "0 2px 10px rgb(0 0 0 / 30%)",
  });

  function open() {
    if (!frame) {
      const about = new URLSearchParams({ origin: location.origin });
      for (const name of ["language", "theme", "order", "return"]) if (wanted[name]) about.set(name, wanted[name]);
      frame = document.createElement("iframe");
      frame.id = "prilavok-chat";
      frame.title = label;
      frame.src = `${server}/ui/widget#${about}`;
      button.setAttribute("aria-controls", frame.id);
      style(frame, {
        position: "fixed", right: "16px", bottom: "76px", "z-index": "2147483001", border: "0",
        width: "min(380px, calc(100vw - 32px))", height: "min(600px, calc(100vh - 92px))",
        "border-radius": "14px", "box-shadow": "0 4px 24px rgb(0 0 0 / 35%)", "color-scheme": "normal",
      });
      document.body.append(frame);
    }
    style(frame, { display: "block" });
    button.setAttribute("aria-expanded", "true");
    button.textContent = label;
    frame.focus();
    tell({ opened: true });
  }

  function close() {
    if (frame) style(frame, { display: "none" });
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }

  function tell(message) {
    frame?.contentWindow?.postMessage({ prilavok: 1, ...message }, server);
  }

  window.addEventListener("message", async (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== server || event.data?.prilavok !== 1) return;
    if (event.data.want === "close") close();
    if (event.data.want === "ready") tell({ opened: true });
    if (event.data.want === "token") {
      try {
        tell({ token: await token() });
      } catch (error) {
        console.error("the chat got no token:", error);
      }
    }
    if (Number.isInteger(event.data.unread)) {
      const hidden = button.getAttribute("aria-expanded") === "false";
      button.textContent = hidden && event.data.unread > 0 ? `${label} (${event.data.unread})` : label;
    }
  });

  button.onclick = () => (button.getAttribute("aria-expanded") === "true" ? close() : open());
  const put = () => document.body.append(button);
  if (document.body) put();
  else document.addEventListener("DOMContentLoaded", put);
})();

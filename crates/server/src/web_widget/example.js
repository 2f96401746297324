// A shop's own backend would sign a token for whoever is logged in. Here it stands in the fragment of the address.
const token = new URLSearchParams(location.hash.slice(1)).get("token");

function chatToken() {
  return token;
}

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("missing").hidden = Boolean(token);
});

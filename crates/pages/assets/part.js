// Parts of pages, fetched from the server.

const RETRY_MS = 3000;
const headers = { "X-Part": "1" };

/// The part at an address, as a document; nothing where the server has none now. Who is signed out is sent to sign in.
export async function part(url) {
  let answer;
  try {
    answer = await fetch(url, { headers });
  } catch {
    return null;
  }
  if (answer.status === 401) location.reload();
  if (!answer.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/// A function that runs `work` soon, once for all calls meanwhile, and never twice at a time. Work that answers `false`
/// could not be done, and is tried again later.
export function soon(work) {
  let wanted = false;
  let running = false;
  async function run() {
    running = true;
    while (wanted) {
      wanted = false;
      if ((await work()) === false) setTimeout(call, RETRY_MS);
    }
    running = false;
  }
  function call() {
    wanted = true;
    if (!running) run();
  }
  return call;
}

// Live events: the stream is read with fetch, because the token goes into a header, and resumed where it broke off.

const LONGEST_PAUSE_MS = 30_000;
/** A stream shows that it is alive more often than this. */
const SILENCE_MS = 60_000;

/** Listens for ever. `on` gets each event, `state` whether there is a connection. */
export async function listen(api, on, state) {
  let last = null;
  let pause = 1_000;
  for (;;) {
    const abort = new AbortController();
    let watchdog;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), SILENCE_MS);
    };
    try {
      alive();
      const headers = last === null ? {} : { "Last-Event-ID": last };
      const answer = await api.fetch("/events", { headers, signal: abort.signal });
      state(true, last === null);
      pause = 1_000;
      for await (const block of blocks(answer.body, alive)) {
        if (block.id !== undefined) last = block.id;
        if (block.event) on(block.event, block.data);
      }
    } catch (error) {
      state(false, false, error);
      pause = Math.max(pause, (error.retryAfter ?? 0) * 1_000);
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
    await new Promise((resolve) => setTimeout(resolve, pause * (0.75 + Math.random() / 2)));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function* blocks(body, alive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    alive();
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      yield parsed(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
}

function parsed(text) {
  const block = {};
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 2);
    if (name === "id" || name === "event") block[name] = value;
    if (name === "data") block.data = JSON.parse(value);
  }
  return block;
}

// Calls of the Buyer API with a token that is replaced before it ends.

const PREFIX = "/buyer/v1";
/** A token is replaced so long before its end. */
const EARLY_MS = 60_000;
const PATIENCE_MS = 20_000;

/** Why a call did not succeed. `status` is 0 where no answer came. */
export class Refused extends Error {
  constructor(status, code, message, retryAfter) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A key under which a request happens once. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** When a token ends, in milliseconds; never, if that cannot be read. */
function endOf(token) {
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).exp * 1000;
  } catch {
    return Infinity;
  }
}

export class Api {
  /** `source` gives a token; `source(true)` a fresh one. */
  constructor(source) {
    this.source = source;
    this.held = null;
    this.asking = null;
  }

  async token(fresh = false) {
    // A clock that is wrong must not ask for a new token before each call.
    const early = this.held && Math.min(EARLY_MS, (this.held.end - this.held.since) / 4);
    if (!fresh && this.held && Date.now() < this.held.end - early) return this.held.token;
    this.asking ??= this.source(fresh || this.held !== null).finally(() => { this.asking = null; });
    const token = await this.asking;
    if (this.held?.token !== token) {
      const since = Date.now();
      const end = endOf(token);
      this.held = { token, since, end: end > since ? end : Infinity };
    }
    return this.held.token;
  }

  /** An answer that is a success; asks for a fresh token once where the one that it has is over. */
  async fetch(path, options = {}) {
    for (const fresh of [false, true]) {
      const token = await this.token(fresh);
      const headers = { ...options.headers, Authorization: `Bearer ${token}` };
      let answer;
      try {
        answer = await fetch(PREFIX + path, { ...options, headers, credentials: "omit", cache: "no-store" });
      } catch (error) {
        throw new Refused(0, "OFFLINE", String(error));
      }
      if (answer.ok) return answer;
      if (answer.status !== 401 || fresh) throw await refusal(answer);
    }
  }

  async get(path) {
    const answer = await this.fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.json();
  }

  async post(path, body, key) {
    const answer = await this.fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": key },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return answer.json();
  }

  /** Sends files; tells `progress` which part of them is gone. */
  async upload(path, files, key, progress) {
    for (const fresh of [false, true]) {
      const token = await this.token(fresh);
      const answer = await new Promise((resolve) => {
        const request = new XMLHttpRequest();
        const form = new FormData();
        for (const file of files) form.append("file", file, file.name);
        request.open("POST", PREFIX + path);
        request.setRequestHeader("Authorization", `Bearer ${token}`);
        request.setRequestHeader("Idempotency-Key", key);
        request.upload.onprogress = (event) => {
          if (event.lengthComputable) progress(event.loaded / event.total);
        };
        request.onloadend = () => resolve(request);
        request.send(form);
      });
      let body = null;
      try {
        body = JSON.parse(answer.responseText);
      } catch {
        // No answer, or none of ours.
      }
      if (answer.status === 201 && body) return body;
      if (answer.status !== 401 || fresh) {
        const code = answer.status ? body?.error?.code ?? "" : "OFFLINE";
        throw new Refused(answer.status, code, body?.error?.message ?? "", 0);
      }
    }
  }
}

async function refusal(answer) {
  let error = {};
  try {
    error = (await answer.json()).error ?? {};
  } catch {
    // Not ours: a proxy's.
  }
  const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
  return new Refused(answer.status, error.code ?? "", error.message ?? "", retryAfter);
}

// Questions to the gateway this page came from; a token, where one is wanted, stays in this tab.

const TOKEN = "lynkrc-operators-token";
const PATIENCE = 15_000; // milliseconds a question may take
const SLOW = 120_000; // and an order

/** The gateway wants a token: none was shown, or another one. */
export class Unwelcome extends Error {
  constructor(message, shown) {
    super(message);
    this.shown = shown;
  }
}

/** The gateway cannot be reached, or does not answer. */
export class Gone extends Error {}

/** The gateway refused; the message is its own. */
export class Refused extends Error {
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/** Show this token from now on; it is forgotten with the tab. */
export function remember(token) {
  sessionStorage.setItem(TOKEN, token);
}

/** Forget the token. */
export function forget() {
  sessionStorage.removeItem(TOKEN);
}

/** What a path answers, as plain data. Rejects with Unwelcome, Gone or Refused. */
export function get(path) {
  return ask(path, { method: "GET" }, PATIENCE);
}

/** Give an order; `body` is JSON already. */
export function post(path, body = "{}") {
  return ask(path, { method: "POST", body }, SLOW);
}

async function ask(path, options, patience) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = { accept: "application/json" };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (token !== null) {
    // What no header can hold is no token of anybody's.
    if (/[^\x20-\x7e]/.test(token)) throw new Unwelcome("the gateway does not know this token", true);
    headers.authorization = `Bearer ${token}`;
  }
  let answer;
  let text;
  try {
    const signal = AbortSignal.timeout(patience);
    // Relative to the page, which a proxy may show below a path of its own.
    answer = await fetch(`.${path}`, { ...options, headers, signal, cache: "no-store", credentials: "omit", redirect: "error" });
    text = await answer.text();
  } catch {
    throw new Gone("the gateway does not answer");
  }
  const body = parsed(text);
  if (answer.status === 401) throw new Unwelcome(said(body, answer.status), token !== null);
  if (!answer.ok && !(path.startsWith("/health/") && answer.status === 503)) {
    throw new Refused(said(body, answer.status), answer.status, body);
  }
  if (body === null) throw new Refused("what answered is not the gateway: it sent no JSON. Is a proxy between?", answer.status, body);
  return body;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Why not, in the gateway's words, whichever dialect it spoke. */
function said(body, status) {
  const error = body?.error ?? body?.reason;
  const words = typeof error === "string" ? error : error?.message;
  return typeof words === "string" && words ? words : `the gateway answered with status ${status}`;
}

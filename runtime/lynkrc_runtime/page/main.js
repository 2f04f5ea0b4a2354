// The page: which view is shown, what is asked for meanwhile, and what is said when that fails.

import { forget, get, Gone, Refused, remember, Unwelcome } from "./api.js";
import { changesView } from "./changes.js";
import { h } from "./dom.js";
import { healthView } from "./health.js";
import { liveView } from "./live.js";
import { poll } from "./poll.js";
import { routesView } from "./routes.js";
import { spendView } from "./spend.js";
import { tryView } from "./try.js";
import { short } from "./words.js";

const READY_EVERY = 5_000;
const MAKERS = { live: liveView, spend: spendView, health: healthView, routes: routesView, try: tryView, changes: changesView };
const TONES = { ready: "good", degraded: "warn" };

const main = document.getElementById("main");
const notice = document.getElementById("notice");
const state = document.getElementById("state");

/** What views share: the bundle's facts, the last readiness, and how to say that something failed. */
const app = {
  policy: null,
  ready: null,
  failed,
  refresh: readPolicy,
  poll: (work, every) => poll(async () => { await work(); well(); }, every, failed),
};

const made = new Map();
let shown = null;
let isAsking = false; // for the token

const readiness = app.poll(readReady, READY_EVERY);

async function readReady() {
  const told = await get("/health/ready");
  app.ready = told;
  say(told.status, TONES[told.status] ?? "bad");
  if (app.policy === null || told.bundle !== app.policy.bundle || told.name !== app.policy.name) await readPolicy();
  current()?.told?.();
}

async function readPolicy() {
  app.policy = await get("/v1/admin/policy");
  document.getElementById("name").textContent = app.policy.name;
  const dry = app.policy.dry_run ? " · dry run" : "";
  document.getElementById("about").textContent = `bundle ${short(app.policy.bundle)} · ${app.policy.engine}${dry}`;
  document.title = `${app.policy.name} – lynkrc`;
  for (const view of made.values()) view.served?.();
}

function say(text, tone) {
  // Said again only when it is news: a screen reader reads every change.
  if (state.textContent !== text) state.textContent = text;
  state.className = `pill ${tone}`;
}

function well() {
  notice.hidden = true;
}

function failed(error) {
  if (error instanceof Unwelcome) {
    askToken(error.shown);
    return;
  }
  if (!(error instanceof Gone || error instanceof Refused)) throw error;
  if (error instanceof Gone) say("gone", "bad");
  const words = error instanceof Gone
    ? "The gateway does not answer. What is shown is what it said last; it is asked again every few seconds."
    : `The gateway refused: ${error.message}`;
  if (notice.hidden || notice.textContent !== words) notice.replaceChildren(words);
  notice.hidden = false;
}

function askToken(isWrong) {
  if (isAsking) return;
  isAsking = true;
  readiness.stop();
  current()?.stop?.();
  well();
  say("locked", "warn");
  const input = h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true,
    "aria-describedby": "token-why token-wrong" });
  const wrong = h("p", { id: "token-wrong", class: "wrong", role: "alert" }, isWrong ? "The gateway does not know this token." : "");
  const form = h("form", {
    class: "token",
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.textContent = "";
      remember(input.value.trim());
      try {
        await readPolicy();
      } catch (error) {
        if (error instanceof Unwelcome) forget();
        wrong.textContent = error instanceof Unwelcome ? "The gateway does not know this token." : error.message;
        input.setAttribute("aria-invalid", "true");
        input.select();
        return;
      }
      isAsking = false;
      readiness.start();
      show(true);
    },
  },
  h("h2", {}, "This gateway wants its operators’ token"),
  h("p", { id: "token-why", class: "muted" }, "It is the value of ", h("code", {}, "server.admin.token"),
    " in the policy. It stays in this tab, and is forgotten with it."),
  h("label", { for: "token" }, "Token"),
  h("div", { class: "line" }, input, h("button", { class: "main", type: "submit" }, "Open")),
  wrong);
  main.replaceChildren(form);
  input.focus();
}

function current() {
  return shown === null ? null : made.get(shown);
}

function show(isMoved) {
  if (isAsking) return;
  const wanted = location.hash.slice(1);
  if (wanted === "main") return; // the skip link
  const name = Object.hasOwn(MAKERS, wanted) ? wanted : "live";
  current()?.stop?.();
  if (!made.has(name)) made.set(name, MAKERS[name](app));
  shown = name;
  const view = made.get(name);
  for (const link of document.querySelectorAll("#views a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.replaceChildren(view.root);
  view.start?.();
  if (isMoved) {
    const heading = view.root.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

addEventListener("hashchange", () => show(true));
show(false);
readiness.start();

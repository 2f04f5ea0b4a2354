// The last ended requests, newest first, as they come.

import { get } from "./api.js";
import { chip, empty, h, row, table } from "./dom.js";
import { brief, clock, count, many, moment, span, usd } from "./words.js";

const EVERY = 2_000;
const QUIET = 10_000;
const MOST = 200;
const FEW = 3; // attempts that are told one by one
const COLUMNS = [
  { head: "Time", kind: "time" },
  { head: "Request", kind: "wide" },
  { head: "Decision", kind: "wide" },
  { head: "Target", kind: "wide" },
  { head: "Result" },
  { head: "Took", kind: "number" },
  { head: "Tokens in, out", kind: "number" },
  { head: "Cost", kind: "number" },
];
const TONES = { served: "good", responded: "good", denied: "warn", refused: "warn", spent: "warn", limited: "warn", forbidden: "warn", aborted: "plain", malformed: "warn", callers: "warn" };

/** The view of live decisions. */
export function liveView(app) {
  let cursor = "";
  let requests = []; // newest first: {told, line, text}
  let isPaused = false;

  const filter = h("input", { type: "search", id: "filter", placeholder: "tier, rule, target, key, class…", oninput: draw, autocomplete: "off", spellcheck: "false" });
  const pause = h("button", { type: "button", "aria-pressed": "false", onclick: turn }, "Pause");
  const said = h("p", { class: "muted", id: "shown" }, "Asking the gateway…");
  const news = h("p", { class: "unseen", role: "status" });
  let unsaid = 0; // new requests that nobody was told of
  let last = 0;
  const list = table("The last requests, newest first", COLUMNS, []);
  const body = list.querySelector("tbody");
  const place = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Requests" });
  const root = h("section", { class: "view", "aria-labelledby": "live-title" },
    h("div", { class: "title" }, h("h2", { id: "live-title" }, "Live"),
      h("div", { class: "tools" }, h("label", { for: "filter", class: "unseen" }, "Show only requests with"), filter, pause)),
    said, news, place);

  const asking = app.poll(read, EVERY);

  function turn() {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
    if (isPaused) asking.stop();
    else asking.start();
    tell(0);
  }

  async function read() {
    const told = await get(`/v1/admin/live?after=${encodeURIComponent(cursor)}`);
    const isFirst = cursor === "";
    cursor = told.cursor;
    requests = [...told.requests.map(lined), ...requests].slice(0, MOST);
    if (told.requests.length || isFirst) draw(isFirst ? 0 : told.requests.length);
  }

  function draw(fresh = 0) {
    const wanted = filter.value.trim().toLowerCase();
    const found = wanted ? requests.filter((one) => one.text.includes(wanted)) : requests;
    settle(found.map((one) => one.line));
    if (found.length) place.replaceChildren(list);
    else if (requests.length) place.replaceChildren(empty("No request fits.", "The filter looks at everything in a row, and at the attempts."));
    else place.replaceChildren(empty("No request has ended yet.", "Send one through the gateway and it stands here, with the rule that decided and what became of each attempt."));
    tell(typeof fresh === "number" ? fresh : 0, found.length);
  }

  /** Rows that stay are not touched: somebody may be reading, selecting or opening one. */
  function settle(lines) {
    const wanted = new Set(lines);
    for (const line of [...body.rows]) if (!wanted.has(line)) line.remove();
    lines.forEach((line, index) => {
      if (body.rows[index] !== line) body.insertBefore(line, body.rows[index] ?? null);
    });
  }

  function tell(fresh, found = body.rows.length) {
    const which = found === requests.length ? many(found, "request") : `${found} of ${many(requests.length, "request")}`;
    const more = isPaused ? ", paused" : fresh ? `, ${fresh} new` : "";
    const words = requests.length ? `${which}${more}` : isPaused ? "paused" : "waiting for requests";
    if (said.textContent !== words) said.textContent = words;
    announce(fresh, which);
  }

  /** To screen readers, now and then: on a busy gateway every answer brings news. */
  function announce(fresh, which) {
    unsaid += fresh;
    if (!unsaid || Date.now() - last < QUIET) return;
    news.textContent = `${many(unsaid, "new request")}, ${which} shown`;
    unsaid = 0;
    last = Date.now();
  }

  return { root, start: () => (isPaused ? null : asking.start()), stop: asking.stop };
}

function lined(told) {
  const line = row(COLUMNS, cells(told), { class: told.class });
  const parts = [told.request_id, told.surface, told.key, told.team, told.tier, told.rule, told.target, told.model, told.class, told.status,
    told.fallback ? "fallback" : "", told.worker ? `worker ${told.worker}` : "",
    ...told.attempts.flatMap((one) => [one.target, one.result, one.fault, one.class, one.status])];
  return { line, text: parts.filter((one) => one !== null).join(" ").toLowerCase() };
}

function cells(told) {
  const who = [told.key, told.team].filter(Boolean).join(" · ");
  const tokens = told.tokens;
  const read = tokens ? tokens.input + tokens.cache_read + tokens.cache_write : 0;
  return [
    h("time", { datetime: new Date(told.time).toISOString(), title: moment(told.time) }, clock(told.time)),
    [h("span", { class: "strong" }, told.surface, told.stream ? " · stream" : ""),
      h("span", { class: "under mono clip", title: told.request_id }, told.request_id),
      who ? h("span", { class: "under" }, who) : null],
    told.rule === null && told.tier === null ? null
      : [h("span", { class: "strong" }, told.tier ?? "no tier", told.score === null ? null : h("span", { class: "muted" }, ` · score ${told.score}`)),
        h("span", { class: "under" }, told.rule ?? "")],
    targetOf(told),
    [chip(told.class, TONES[told.class] ?? "bad"), h("span", { class: "under" }, told.status ? `HTTP ${told.status}` : "no answer"),
      told.worker ? h("span", { class: "under" }, `worker ${told.worker}`) : null],
    [span(told.duration_ms), told.first_byte_ms === null ? null : h("span", { class: "under" }, `first ${span(told.first_byte_ms)}`)],
    tokens ? [h("span", { title: `${count(tokens.input)} in, ${count(tokens.cache_read)} from the cache, ${count(tokens.cache_write)} into it, ${count(tokens.output)} out` },
      `${brief(read)} → ${brief(tokens.output)}`)] : null,
    told.cost_micro_usd === null ? null : [usd(told.cost_micro_usd), told.estimated ? h("span", { class: "under" }, "estimated") : null],
  ];
}

function targetOf(told) {
  const isPlain = told.attempts.length === 1 && told.attempts[0].result === "served";
  if (told.target === null && !told.attempts.length) return null;
  return [
    h("span", { class: "strong" }, told.target ?? "none served", " ", told.fallback ? chip("fallback", "warn") : null),
    told.model && told.model !== told.target ? h("span", { class: "under clip", title: told.model }, told.model) : null,
    isPlain ? null : h("ol", { class: "attempts", "aria-label": "Attempts" }, told.attempts.length > FEW
      ? gathered(told.attempts).map((words) => h("li", {}, words)) : told.attempts.map((one) => h("li", {}, attempt(one)))),
  ];
}

/** Many attempts: targets that were skipped for one reason, one after another, are one line that opens. */
function gathered(attempts) {
  const runs = [];
  for (const one of attempts) {
    const run = runs.at(-1);
    if (run !== undefined && one.result === "skipped" && run[0].result === "skipped" && reason(run[0]) === reason(one)) run.push(one);
    else runs.push([one]);
  }
  return runs.map((run) => run.length === 1 ? attempt(run[0])
    : h("details", {}, h("summary", {}, [`${run.length} skipped`, reason(run[0])].filter(Boolean).join(", ")), run.map((one) => one.target).join(", ")));
}

/** An attempt in words: "mid failed, throttled 429, 120 ms". */
function attempt(one) {
  const why = reason(one);
  const parts = [`${one.target} ${one.result}`];
  // Who was skipped was not asked, and sent no status.
  if (why) parts.push(one.status && one.result !== "skipped" ? `${why} ${one.status}` : why);
  if (one.result !== "skipped") parts.push(span(one.duration_ms));
  return parts.join(", ");
}

function reason(one) {
  return one.fault && one.fault !== "answered" ? one.fault : one.class;
}

// How the gateway and its targets fare, and what is spent of budgets.

import { get, post } from "./api.js";
import { chip, empty, facts, h, part, s, table } from "./dom.js";
import { count, many, seconds, short, span, usd } from "./words.js";

const EVERY = 5_000;
const MANY = 12; // targets in one list
const TONES = { closed: "good", "half-open": "warn", open: "bad" };
const BREAKERS = [{ head: "Target" }, { head: "Breaker" }, { head: "Recent failures", kind: "number" }, { head: "Notes", kind: "wide" }, { head: "Usual first event", kind: "number" }, { head: "Action", kind: "act" }];
const BUDGETS = [{ head: "Budget" }, { head: "Owner" }, { head: "Spent of limit", kind: "wide" }, { head: "Reserved", kind: "number" }, { head: "Period" }];

/** The view of readiness, breakers and budgets. */
export function healthView(app) {
  let board = null;
  let breakers = null;
  const about = h("div", {}, h("p", { class: "muted" }, "Asking the gateway…"));
  const targets = h("div", {});
  const budgets = h("div", {});
  const said = h("p", { class: "muted", role: "status" });
  const all = h("button", { type: "button", onclick: () => reset(null), hidden: true }, "Reset all");
  const root = h("section", { class: "view", "aria-labelledby": "health-title" },
    h("div", { class: "title" }, h("h2", { id: "health-title" }, "Health")),
    part("Gateway", about),
    part("Budgets", budgets),
    h("section", { class: "part" }, h("div", { class: "title" }, h("h3", {}, "Breakers"), all), said, targets));
  const asking = app.poll(async () => {
    [board, breakers] = await Promise.all([get("/v1/admin/board"), get("/metrics/circuit-breakers")]);
    draw();
  }, EVERY);

  async function reset(target) {
    const what = target === null ? "every target" : target;
    const isSure = await confirmed(`Reset ${what}?`, `Everything known of ${what} is forgotten: breakers close, and calls are made again at once.`, "Reset");
    // Its own button may have been drawn anew meanwhile.
    const back = () => (root.querySelector(`button[data-target="${CSS.escape(target ?? "")}"]`) ?? all).focus();
    if (!isSure) return back();
    try {
      breakers = await post(`/metrics/circuit-breakers/reset${target === null ? "" : `?target=${encodeURIComponent(target)}`}`);
      said.textContent = `${what} was reset.`;
      draw();
      back();
    } catch (error) {
      app.failed(error);
    }
  }

  function draw() {
    const ready = app.ready;
    about.replaceChildren(ready === null ? h("p", { class: "muted" }, "Asking the gateway…") : facts([
      ["Status", [chip(ready.status, { ready: "good", degraded: "warn" }[ready.status] ?? "bad"), ready.degraded.length ? ` ${ready.degraded.join(", ")}` : ""]],
      ready.reason ? ["Why", ready.reason] : null,
      ["Bundle", [ready.name, " ", h("span", { class: "mono muted", title: ready.bundle }, short(ready.bundle))]],
      ["Scorer", ready.engine ?? "–"], ["Scan kernel", ready.kernel ?? "–"],
      ["Workers", ready.workers ? `${ready.workers.ready} of ${ready.workers.wanted} ready` : "one process"],
      board ? ["Store", [board.store.kind, " ", board.store.status === "ready" ? "" : chip(board.store.status, "bad")]] : null,
      board ? ["Running now", many(board.running, "request")] : null,
      board ? ["Up for", seconds(Math.max(0, board.time - board.started))] : null,
      ...(ready.notices ?? []).map((one) => ["Notice", one]),
    ].filter(Boolean)));
    drawTargets();
    drawBudgets();
  }

  function drawTargets() {
    if (breakers === null) return;
    all.hidden = !breakers.targets.length;
    if (!breakers.targets.length) {
      targets.replaceChildren(empty("Targets are not watched.", "The bundle declares no breakers."));
      return;
    }
    const active = targets.contains(document.activeElement) ? document.activeElement : null;
    const [isSummary, focused] = [active?.tagName === "SUMMARY", active?.dataset.target];
    const isOpen = targets.querySelector("details")?.open ?? false;
    // On a long list those that need somebody come first, and the others can be opened.
    const ill = breakers.targets.filter(isIll);
    const well = breakers.targets.filter((one) => !isIll(one));
    targets.replaceChildren(...(breakers.targets.length <= MANY ? [listed("Breakers", [...ill, ...well])] : [
      ill.length ? listed("Breakers", ill) : "",
      h("details", { class: "as-table", open: isOpen }, h("summary", {}, `${many(well.length, "target")} closed, with nothing of note`), listed("Breakers, closed", well))]));
    if (isSummary) targets.querySelector("summary")?.focus();
    else if (focused !== undefined) targets.querySelector(`button[data-target="${CSS.escape(focused)}"]`)?.focus();
  }

  function listed(label, found) {
    return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      table("What is known of each target", BREAKERS, found.map((one) => [
        one.target, [chip(one.state, TONES[one.state] ?? "bad"), one.since === null ? null : h("span", { class: "under" }, `for ${seconds(one.since)}`)],
        count(one.failures), notes(one), one.first_event === null ? null : span(one.first_event * 1000),
        h("button", { type: "button", "data-target": one.target, "aria-label": `Reset ${one.target}`, onclick: () => reset(one.target) }, "Reset"),
      ])));
  }

  function drawBudgets() {
    if (board === null) return;
    const rows = board.budgets.map((one) => [one.budget, one.owner, meter(one), one.reserved_micro_usd === null ? null : usd(one.reserved_micro_usd),
      [one.period, h("span", { class: "under" }, `ends ${one.ends.replace("T", " ").replace(":00Z", " UTC")}`)]]);
    budgets.replaceChildren(
      board.trouble ? h("p", { class: "wrong" }, `The store does not tell: ${board.trouble}`) : "",
      rows.length ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Budgets" }, table("What is spent of each budget", BUDGETS, rows))
        : empty("The policy declares no budgets.", "Under `budgets` each key, team or tenant gets an amount for a day, a week or a month."),
      board.omitted ? h("p", { class: "muted" }, `${many(board.omitted, "owner")} more are not shown.`) : "");
  }

  return { root, start: asking.start, stop: asking.stop, told: draw, served: draw };
}

function isIll(one) {
  return one.state !== "closed" || one.failures > 0 || notes(one) !== null;
}

/** Whether workers have different breakers of a target: each has its own. */
function disagreeing(workers) {
  return new Set(Object.values(workers ?? {}).map((has) => has.state)).size > 1;
}

function notes(one) {
  const found = [
    one.next_probe ? `next probe in ${seconds(one.next_probe)}` : null,
    one.throttled_for ? `throttled for ${seconds(one.throttled_for)}` : null,
    one.misconfigured_for ? `misconfigured, not called for ${seconds(one.misconfigured_for)}` : null,
    one.outlier ? "slower or failing more than its peers" : null,
    disagreeing(one.workers) ? Object.entries(one.workers).map(([number, has]) => `worker ${number} ${has.state}`).join(", ") : null,
  ].filter(Boolean);
  return found.length ? found.map((text) => h("span", { class: "under" }, text)) : null;
}

function meter(one) {
  if (one.spent_micro_usd === null) return `limit ${usd(one.limit_micro_usd)}`;
  const share = one.spent_micro_usd / one.limit_micro_usd;
  const tone = share >= 1 ? "bad" : share >= 0.8 ? "warn" : "good";
  const text = `${usd(one.spent_micro_usd)} of ${usd(one.limit_micro_usd)}, ${Math.floor(share * 100)} %`;
  return [h("span", {}, text, one.hard ? h("span", { class: "muted" }, " · hard") : null),
    s("svg", { class: `meter ${tone}`, viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
      s("rect", { class: "track", width: 100, height: 6 }), s("rect", { class: "fill", width: Math.min(100, 100 * share), height: 6 }))];
}

/** Whether the operator says yes, in a dialog of the browser's own. */
function confirmed(title, why, yes) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-why", onclose: () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    } },
    h("h2", { id: "dialog-title" }, title), h("p", { id: "dialog-why" }, why),
    h("div", { class: "tools" },
      h("button", { type: "button", onclick: () => dialog.close("no") }, "Cancel"),
      h("button", { type: "button", class: "main", onclick: () => dialog.close("yes") }, yes)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

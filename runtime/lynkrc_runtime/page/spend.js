// Which tiers requests had, and what targets cost, over three hours and over a week.

import { get } from "./api.js";
import { stackedBars } from "./charts.js";
import { empty, h } from "./dom.js";
import { brief, count, many, minute, moment, usd, weekday } from "./words.js";

const EVERY = 10_000;
const SPANS = {
  minutes: { label: "3 hours", step: 60, total: 180, steps: [1, 2, 5, 10, 15, 30], ticks: [300, 600, 900, 1800, 3600], tick: (at) => minute(at * 1000) },
  hours: { label: "7 days", step: 3600, total: 168, steps: [1, 2, 3, 6, 12, 24], ticks: [10800, 21600, 43200, 86400], tick: (at) => weekday(at * 1000) },
};
const NO_TIER = "";
const RAMP = 6;
const HUES = 8;
const OTHERS = "\0others"; // no target has such a name

/** The view of tier mix and spend. */
export function spendView(app) {
  let told = null;
  let chosen = "minutes";
  let drawn = "";

  const buttons = Object.entries(SPANS).map(([name, one]) =>
    h("button", { type: "button", "aria-pressed": String(name === chosen), onclick: () => choose(name), "data-span": name }, one.label));
  const totals = h("div", { class: "totals" });
  const place = h("div", {}, h("p", { class: "muted" }, "Asking the gateway…"));
  const root = h("section", { class: "view", "aria-labelledby": "spend-title" },
    h("div", { class: "title" }, h("h2", { id: "spend-title" }, "Mix and spend"),
      h("div", { class: "tools", role: "group", "aria-label": "Time shown" }, buttons)),
    totals, place);
  const asking = app.poll(async () => { told = await get("/v1/admin/board"); draw(); }, EVERY);

  function choose(name) {
    chosen = name;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.span === name));
    draw();
  }

  function draw() {
    if (told === null || place.querySelector("details[open]")?.contains(document.activeElement)) return;
    const buckets = told.series[chosen];
    const now = JSON.stringify([chosen, buckets, app.policy?.bundle, Math.floor(told.time / SPANS[chosen].step)]);
    if (now === drawn) return;
    const open = [...place.querySelectorAll("details")].map((one) => one.open);
    drawn = now;
    const sum = (name) => buckets.reduce((all, one) => all + one[name], 0);
    const requests = buckets.reduce((all, one) => all + total(one.tiers), 0);
    const spent = buckets.reduce((all, one) => all + total(one.spend), 0);
    totals.replaceChildren(...(requests ? [
      figure(count(requests), requests === 1 ? "request" : "requests"), figure(usd(spent), "spent"),
      figure(requests ? `${percent(sum("failed"), requests)} %` : "–", "not served", many(sum("failed"), "request")),
      figure(brief(sum("tokens")), "tokens")] : []));
    if (!requests) {
      place.replaceChildren(empty(`Nothing ended in the last ${SPANS[chosen].label}.`, "Sums are kept from the start of the gateway on, and are gone with it; for longer see the usage log."));
      return;
    }
    const { step, steps, total: most, ticks, tick } = SPANS[chosen];
    const usual = { step, steps, total: most, end: told.time, ticks, tick, long: (at) => moment(at * 1000) };
    const unpriced = sum("unpriced");
    place.replaceChildren(
      stackedBars({ ...usual, title: "Requests by tier", series: tiers(), shown: (value) => count(Math.round(value * 10) / 10),
        buckets: buckets.map((one) => ({ start: one.start, values: one.tiers })) }),
      !spent ? h("p", { class: "muted" }, "Nothing was spent.") : stackedBars({ ...usual, title: "Spend by target", least: 100, series: targets(), shown: usd,
        buckets: buckets.map((one) => ({ start: one.start, values: apart(one.spend) })) }),
      unpriced ? h("p", { class: "muted" }, `${many(unpriced, "call")} of targets without a known price count as nothing.`) : "");
    [...place.querySelectorAll("details")].forEach((one, index) => { one.open = open[index] ?? false; });
  }

  function tiers() {
    const known = (app.policy?.tiers ?? []).map((one) => one.name);
    const names = [...new Set([...known, ...used("tiers")])].filter((name) => name !== NO_TIER);
    const spread = (index) => Math.round((index * (RAMP - 1)) / Math.max(1, names.length - 1));
    return [...names.map((name, index) => ({ name, tone: `r${spread(index)}` })), { name: NO_TIER, label: "no tier", tone: "none" }];
  }

  function targets() {
    const [shown, others] = spenders();
    const tones = shown.map((name, index) => ({ name, tone: `c${index}` }));
    return others.length ? [...tones, { name: OTHERS, label: many(others.length, "other target"), tone: "none" }] : tones;
  }

  /** Targets that get a colour each, in the policy's order, and those that share one: they cost least. */
  function spenders() {
    const sums = new Map();
    for (const bucket of told.series[chosen]) {
      for (const [name, cost] of Object.entries(bucket.spend)) sums.set(name, (sums.get(name) ?? 0) + cost);
    }
    const known = (app.policy?.targets ?? []).map((one) => one.name);
    const paid = [...new Set([...known, ...sums.keys()])].filter((name) => sums.get(name));
    if (paid.length <= HUES) return [paid, []];
    const dearest = new Set([...paid].sort((a, b) => sums.get(b) - sums.get(a)).slice(0, HUES));
    return [paid.filter((name) => dearest.has(name)), paid.filter((name) => !dearest.has(name))];
  }

  /** The costs of targets, those without a colour as one. */
  function apart(costs) {
    const [shown, others] = spenders();
    const rest = others.reduce((all, name) => all + (costs[name] ?? 0), 0);
    return { ...Object.fromEntries(shown.filter((name) => costs[name]).map((name) => [name, costs[name]])), [OTHERS]: rest };
  }

  function used(member) {
    return told.series[chosen].flatMap((one) => Object.keys(one[member]));
  }

  return { root, start: asking.start, stop: asking.stop, served: draw };
}

function total(values) {
  return Object.values(values).reduce((a, b) => a + b, 0);
}

function percent(part, all) {
  const found = (100 * part) / all;
  return found && found < 10 ? found.toFixed(1) : String(Math.round(found));
}

function figure(value, name, more = null) {
  return h("p", { class: "total" }, h("span", { class: "total-value" }, value), h("span", { class: "muted" }, more ? `${name} · ${more}` : name));
}

// A pasted request to why it would go where it goes; no target is called.

import { post, Refused } from "./api.js";
import { chip, empty, h, name, part, table } from "./dom.js";
import { many } from "./words.js";

const UNIT = 6400; // parts of a point that a trace counts in
const SURFACES = { messages: "Messages", chat: "Chat completions", responses: "Responses" };
const EXAMPLE = { model: "auto", max_tokens: 1024, messages: [{ role: "user", content: "Prove that this loop ends, then refactor the module." }] };
const POINTS = [{ head: "Dimension", kind: "wide" }, { head: "Points", kind: "number" }, { head: "How", kind: "wide" }];
const RULES = [{ head: "Rule", kind: "wide" }, { head: "Did", kind: "wide" }, { head: "Because", kind: "wide" }];
const FEATURES = [{ head: "Feature", kind: "wide" }, { head: "Value", kind: "number" }, { head: "Patterns, and the characters where they stand", kind: "wide" }];
const PLACES = 6;

/** The view that decides a pasted request. */
export function tryView(app) {
  const box = h("textarea", { id: "request", rows: "14", spellcheck: "false", autocomplete: "off", class: "mono", "aria-describedby": "try-how",
    onkeydown: (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        send();
      }
    } });
  const surface = h("select", { id: "surface" }, h("option", { value: "" }, "by its members"),
    Object.entries(SURFACES).map(([value, words]) => h("option", { value }, words)));
  const button = h("button", { type: "button", class: "main", onclick: send, "aria-keyshortcuts": "Control+Enter" }, "Decide");
  const said = h("p", { role: "status", class: "muted" });
  const result = h("div", { id: "result" }, empty("Nothing has been decided yet.", "Paste the body of a request, as a client sends it."));
  const root = h("section", { class: "view", "aria-labelledby": "try-title" },
    h("div", { class: "title" }, h("h2", { id: "try-title" }, "Try a request")),
    h("p", { id: "try-how", class: "muted" }, "Decided as it would be now. Nobody is called, and nothing of it is kept. Headers are those of this browser. Ctrl+Enter decides."),
    h("div", { class: "try" },
      h("div", { class: "ask" }, h("label", { for: "request" }, "Body, as JSON"), box,
        h("div", { class: "tools" }, h("label", { for: "surface" }, "Surface"), surface,
          h("button", { type: "button", onclick: example }, "Example"), button), said),
      result));

  /** Typed, not set: what stood there comes back by Ctrl+Z. */
  function example() {
    box.focus();
    box.select();
    document.execCommand("insertText", false, JSON.stringify(EXAMPLE, null, 2));
  }

  async function send() {
    if (button.getAttribute("aria-disabled") === "true") return;
    const wanted = surface.value || guessed(box.value);
    button.setAttribute("aria-disabled", "true");
    said.textContent = "Deciding…";
    box.removeAttribute("aria-invalid");
    box.setAttribute("aria-describedby", "try-how");
    try {
      const trace = await post(`/routing/analyze?surface=${wanted}`, box.value);
      said.textContent = `Decided as ${SURFACES[wanted]}.`;
      result.replaceChildren(...shown(trace));
    } catch (error) {
      if (error instanceof Refused) {
        said.textContent = "Refused.";
        box.setAttribute("aria-invalid", "true");
        box.setAttribute("aria-describedby", "try-wrong try-how");
        const param = error.body?.error?.param;
        result.replaceChildren(h("div", { class: "notice still", role: "alert", id: "try-wrong" }, h("p", { class: "strong" }, `The gateway refuses this request (HTTP ${error.status}).`),
          h("p", {}, error.message), param ? h("p", {}, "Member: ", h("code", {}, param)) : null,
          h("p", { class: "muted" }, `Read as ${SURFACES[wanted]}.`)));
      } else {
        said.textContent = "";
        app.failed(error);
      }
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  return { root };
}

/** The surface whose members these are. */
function guessed(text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return "messages"; // whose error says what is wrong
  }
  if (body?.input !== undefined || body?.instructions !== undefined) return "responses";
  const messages = Array.isArray(body?.messages) ? body.messages : [];
  const tools = Array.isArray(body?.tools) ? body.tools : [];
  const isChat = messages.some((one) => ["system", "developer", "tool"].includes(one?.role)) || tools.some((one) => one?.type === "function")
    || ["max_completion_tokens", "response_format", "n", "frequency_penalty"].some((member) => body?.[member] !== undefined);
  return isChat ? "chat" : "messages";
}

function shown(trace) {
  const decision = trace.decision;
  if (decision === null) return [empty("There is nothing to decide.")];
  const matched = decision.rules.filter((one) => one.matched);
  const live = trace.features.filter((one) => one.value || one.patterns.length);
  return [
    headline(decision),
    decision.score === null ? null : part("Score", points(decision)),
    part(`Rules: ${matched.length} of ${decision.rules.length} matched`, matched.length
      ? scrolled("Rules that matched", table("Rules that matched", RULES, matched.map((one) => [name(one.name), effects(one.effects), because(one)])))
      : h("p", { class: "muted" }, "None; the score alone decides.")),
    part("Chain", chains(decision)),
    part(`Features: ${live.length} of ${trace.features.length} are not zero`,
      scrolled("Features", table("Features that are not zero", FEATURES, live.map((one) => [h("span", { class: "mono" }, name(one.slot)), one.shown, patterns(one)])))),
  ].filter((one) => one !== null);
}

function headline(decision) {
  const order = decision.order.groups.map((group) => group.length > 1 && decision.order.varies ? `${group.join(" or ")} (${decision.order.pick})` : group.join(", then "));
  const tiers = decision.tiers;
  return h("div", { class: "verdict" },
    h("p", { class: "answer" }, chip(decision.outcome, decision.outcome === "route" ? "good" : "warn"), " ",
      decision.tier === null ? "no tier" : decision.tier, decision.status === null ? "" : ` · status ${decision.status}`),
    h("dl", { class: "facts" },
      fact("Rule", decision.rule), fact("Score", decision.score === null ? "not needed" : String(decision.score)),
      fact("Targets, in order", order.length ? order.join(", then ") : "none"),
      tiers === null ? null : fact("Tier chosen by", tiers.chosen_by),
      tiers?.raised ? fact("Raised", `to ${tiers.raised.tier} by ${tiers.raised.rule}`) : null,
      tiers?.lowered ? fact("Lowered", `to ${tiers.lowered.tier} by ${tiers.lowered.rule}`) : null,
      decision.pin ? fact("Pinned to", decision.pin) : null,
      decision.needs.length ? fact("Needs", decision.needs.join(", ")) : null));
}

function fact(label, value) {
  return h("div", { class: value?.length > 40 ? "broad" : null }, h("dt", {}, label), h("dd", {}, value));
}

function points(decision) {
  const { dimensions, adds, offset, sum } = decision.points;
  const rows = dimensions.filter((one) => one.points).sort((a, b) => Math.abs(b.points) - Math.abs(a.points))
    .map((one) => [name(one.name), signed(one.points), h("span", { class: "mono small" }, one.measures)]);
  for (const one of adds) rows.push([one.rule, signed(one.points ?? 0), "added by the rule"]);
  if (offset) rows.push(["offset", signed(offset), "always"]);
  const zeros = dimensions.length - dimensions.filter((one) => one.points).length;
  const exact = sum / UNIT;
  return [h("p", {}, h("span", { class: "big" }, String(decision.score)), " ",
    h("span", { class: "muted" }, exact === decision.score ? "the sum of these points" : `these points sum to ${trimmed(exact)}, rounded and kept within the bounds`)),
  rows.length ? scrolled("Points", table("Points of each dimension", POINTS, rows)) : h("p", { class: "muted" }, "No dimension gave points."),
  zeros ? h("p", { class: "muted" }, `${many(zeros, "dimension")} gave none.`) : null];
}

function signed(parts) {
  return `${parts < 0 ? "−" : "+"}${trimmed(Math.abs(parts) / UNIT)}`;
}

function trimmed(value) {
  return String(Math.round(value * 100) / 100);
}

function effects(found) {
  return found.map((one) => h("span", { class: one.took ? "line-item" : "line-item muted" }, one.effect, one.took ? "" : " (changed nothing)"));
}

function because(rule) {
  return [h("span", { class: "mono small" }, rule.when || "always"),
    rule.atoms.filter((one) => one.holds).map((one) => h("span", { class: "under" }, one.atom, " ",
      Object.entries(one.reads).map(([slot, value]) => slot === one.atom ? "" : `[${slot} is ${value}]`).join(" ")))];
}

function chains(decision) {
  if (!decision.chains.length) return h("p", { class: "muted" }, "No chain was looked at.");
  return h("ol", { class: "chains" }, decision.chains.map((one) => h("li", {},
    h("span", { class: one.chain === decision.chain ? "strong" : "" }, one.chain, one.chain === decision.chain ? " – used" : ""),
    h("ul", {}, one.targets.map((target) => h("li", {}, target.target, " ",
      target.dropped_by.length ? [chip("dropped", "warn"), ` by ${target.dropped_by.join(", ")}`] : chip("kept", "good")))))));
}

function patterns(feature) {
  if (!feature.patterns.length) return null;
  return feature.patterns.map((one) => h("span", { class: "line-item" }, h("span", { class: "mono small" }, name(one.pattern)), " ",
    h("span", { class: "muted" }, `${many(one.times, "time")}${one.weight === 1 ? "" : `, weight ${one.weight}`}, at ${places(one.places)}`)));
}

function places(found) {
  const words = found.slice(0, PLACES).map((one) => one.chars[0] === null ? `…${one.chars[1]}` : `${one.chars[0]}–${one.chars[1]}`);
  return words.join(", ") + (found.length > PLACES ? ", …" : "");
}

function scrolled(label, content) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, content);
}

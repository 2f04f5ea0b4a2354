// The compiled policy: a picture of its chains, its targets, and the route table as it was built.

import { chip, h, part, table } from "./dom.js";
import { bandOf, chainWords, graph } from "./graph.js";
import { brief, short } from "./words.js";

const TIERS = [{ head: "Tier" }, { head: "Score" }, { head: "Chain, in the order tried", kind: "wide" }];
const TARGETS = [{ head: "Target", kind: "named" }, { head: "Model", kind: "wide" }, { head: "Provider" }, { head: "Trust" }, { head: "Context", kind: "number" },
  { head: "USD/M in, out", kind: "number" }, { head: "Can", kind: "wide" }];
const HEADING = /^[A-Z]{3,}[A-Z ]*(?:[, ]|$)/;

/** The view of the route table. */
export function routesView(app) {
  const place = h("div", {});
  const root = h("section", { class: "view", "aria-labelledby": "routes-title" },
    h("div", { class: "title" }, h("h2", { id: "routes-title" }, "Routes")), place);
  let drawn = null;

  function draw() {
    const policy = app.policy;
    if (policy === null || drawn === policy.bundle) return;
    drawn = policy.bundle;
    const chains = new Map(policy.chains.map((one) => [one.name, one]));
    place.replaceChildren(
      h("p", { class: "muted" }, "What the compiler made of the policy, and what decides now. Bundle ", h("span", { class: "mono" }, short(policy.bundle)), "."),
      policy.unserved.length ? h("div", { class: "notice still" }, h("p", {}, "Not served by this version:"),
        h("ul", {}, policy.unserved.map((one) => h("li", {}, one)))) : "",
      policy.tiers.length ? part("Where tiers lead", graph(policy), scrolled("Tiers", table("Tiers with their chains", TIERS,
        policy.tiers.map((tier, index) => [tier.name, bandOf(policy.tiers, index), chainWords(chains.get(tier.chain))])))) : "",
      part("Targets", scrolled("Targets", table("Targets", TARGETS, policy.targets.map((one) => [
        one.name, h("span", { class: "mono" }, one.model), [one.provider, h("span", { class: "under" }, one.kind)], chip(one.trust),
        [brief(one.context), h("span", { class: "under" }, `${brief(one.max_output)} out`)],
        one.price === null ? "not known" : one.price.join(", "), one.capabilities.join(", ").replaceAll("_", " ")])))),
      part("Route table", h("p", { class: "muted" }, "As in ", h("code", {}, "routes.txt"), " of the bundle."), sections(policy.routes)));
  }

  return { root, start: draw, served: draw };
}

function scrolled(name, content) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, content);
}

/** The route table's sections, which begin with a line in capitals after an empty one. */
function sections(text) {
  const found = [];
  for (const block of text.trimEnd().split(/\n\n+/)) {
    const [first, ...rest] = block.split("\n");
    if (HEADING.test(first) && rest.length) found.push([first, rest.join("\n")]);
    else if (found.length) found[found.length - 1][1] += `\n\n${block}`;
    else found.push(["Bundle", block]);
  }
  return found.map(([title, body], index) => h("details", { class: "routes", open: index < 3 },
    h("summary", {}, title), h("pre", { tabindex: "0", role: "region", "aria-label": title }, body)));
}

// Tiers, chains and targets to a picture: where a request goes, by tier, and whom it is trusted to.

import { h, s } from "./dom.js";
import { many } from "./words.js";

const ROW = 58;
const BOX = 42;
const WIDTH = 860;
const [TIER_X, TIER_W] = [1, 210];
const [TARGET_X, TARGET_W] = [560, 270];
const PAD = 14;
const HEAD = 26;
const HUES = 8;
const MANY = 16; // targets that are drawn whole
const FIRST = 3; // choices of each tier that are drawn otherwise

/** The picture of a bundle's facts. Its text is also in the tables beside it. */
export function graph(policy) {
  const chains = new Map(policy.chains.map((one) => [one.name, one]));
  // In the order tiers come to them, so that lines cross less; of very many, those that are tried first.
  const most = policy.targets.length > MANY ? FIRST : Infinity;
  const tried = policy.tiers.flatMap((tier) => (chains.get(tier.chain)?.groups ?? []).slice(0, most).flat());
  const named = new Map(policy.targets.map((one) => [one.name, one]));
  const drawn = [...new Set([...tried, ...(most === FIRST ? [] : named.keys())])].map((name) => named.get(name)).filter(Boolean);
  const lanes = new Map();
  for (const target of drawn) lanes.set(target.trust, [...(lanes.get(target.trust) ?? []), target]);

  const spots = new Map();
  const panels = [];
  let y = 0;
  let hue = 0;
  for (const [trust, targets] of lanes) {
    const high = HEAD + targets.length * ROW + PAD / 2;
    panels.push({ trust, y, high, hue: `c${hue % HUES}` });
    targets.forEach((target, index) => spots.set(target.name, { target, y: y + HEAD + index * ROW, hue: `c${hue % HUES}` }));
    y += high + PAD;
    hue += 1;
  }
  const height = Math.max(y - PAD, policy.tiers.length * ROW + HEAD) + 2;
  // Tiers are spread over the height, so that on a high picture lines stay short.
  const pitch = (height - HEAD) / policy.tiers.length;
  const tierY = (row) => HEAD + row * pitch + (pitch - BOX) / 2;
  const middle = (at) => at + BOX / 2;

  const edges = policy.tiers.flatMap((tier, row) => {
    const order = (chains.get(tier.chain)?.groups ?? []).slice(0, most);
    return order.flatMap((group, place) => group.map((name) => ({ row, place, spot: spots.get(name) })));
  }).filter((one) => one.spot !== undefined);
  // Those tried first are drawn last, above the others.
  edges.sort((a, b) => b.place - a.place);

  const about = policy.tiers.map((tier) => `${tier.name}: ${chainWords(chains.get(tier.chain))}`).join(". ");
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: "img", "aria-labelledby": "graph-t graph-d", class: "graph" },
    s("title", { id: "graph-t" }, `How ${policy.name} routes`), s("desc", { id: "graph-d" }, about),
    s("text", { class: "head", x: TIER_X, y: 16 }, "TIERS, BY SCORE"),
    panels.map((one) => s("g", { class: "lane" },
      s("rect", { class: one.hue, x: TARGET_X - PAD, y: one.y + 1, width: TARGET_W + 2 * PAD, height: one.high, rx: 8 }),
      s("text", { class: "head", x: TARGET_X, y: one.y + 18 }, `TRUST ${one.trust}`))),
    edges.map((one) => {
      const [from, to] = [middle(tierY(one.row)), middle(one.spot.y)];
      const [x1, x2] = [TIER_X + TIER_W, TARGET_X];
      const bend = (x2 - x1) / 2;
      // The number stands where the line leaves its tier, later choices further along.
      const part = 0.16 + 0.13 * Math.min(one.place, 4);
      const [nx, ny] = along(part, x1, from, x2, to, bend);
      return s("g", { class: one.place ? "edge later" : "edge" },
        s("path", { class: one.spot.hue, d: `M${x1} ${from} C${x1 + bend} ${from} ${x2 - bend} ${to} ${x2} ${to}` }),
        s("circle", { cx: nx, cy: ny, r: 9 }), s("text", { class: "place", x: nx, y: ny + 4, "text-anchor": "middle" }, one.place + 1));
    }),
    policy.tiers.map((tier, row) => box(TIER_X, tierY(row), TIER_W, clipped(tier.name, 22), bandOf(policy.tiers, row), "tier", tier.name)),
    [...spots.values()].map((one) => box(TARGET_X, one.y, TARGET_W, clipped(one.target.name, 30), clipped(`${one.target.provider} · ${one.target.model}`, 40), one.hue,
      `${one.target.name}, ${one.target.provider} · ${one.target.model}`)));
  const left = policy.targets.length - drawn.length;
  return [h("div", { class: "scroll picture", tabindex: "0", role: "region", "aria-label": "Picture of the routes" }, picture),
    left ? h("p", { class: "muted", id: "graph-left" }, `The picture has the first ${FIRST} choices of each tier; ${many(left, "other target")} stand in the tables below.`) : null];
}

function box(x, y, width, name, under, tone, whole) {
  return s("g", { class: "box" }, s("title", {}, whole), s("rect", { class: tone, x, y, width, height: BOX, rx: 6 }),
    s("text", { class: "name", x: x + 12, y: y + 18 }, name), s("text", { class: "small", x: x + 12, y: y + 33 }, under));
}

function along(t, x1, y1, x2, y2, bend) {
  const u = 1 - t;
  const mix = (a, b, c, d) => u ** 3 * a + 3 * u * u * t * b + 3 * u * t * t * c + t ** 3 * d;
  return [mix(x1, x1 + bend, x2 - bend, x2), mix(y1, y1, y2, y2)];
}

function clipped(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The scores of a tier: "0 to 22". */
export function bandOf(tiers, index) {
  const { up_to: high } = tiers[index];
  const low = index ? (tiers[index - 1].up_to ?? -1) + 1 : 0;
  if (high === null) return tiers.length === 1 ? "every score" : `score ${low} and more`;
  return low === high ? `score ${low}` : `score ${low} to ${high}`;
}

/** A chain in words: "small, then mid or large (weighted)". */
export function chainWords(chain) {
  if (chain === undefined) return "";
  return chain.groups.map((group) => group.length > 1 ? `${group.join(" or ")} (${chain.pick})` : group[0]).join(", then ");
}

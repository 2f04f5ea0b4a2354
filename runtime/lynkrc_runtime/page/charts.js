// Sums over time to stacked bars that also say in words and in a table what they show.

import { h, s, table } from "./dom.js";

const HEIGHT = 210;
const LEFT = 58;
const BOTTOM = 24;
const TOP = 8;
const NARROWEST = 5; // pixels of a bar

let charts = 0;

/**
 * A chart that redraws itself to its width. `series` are {name, tone}, `buckets` {start, values} in
 * order; `step` is a bucket's seconds, `steps` what it may be joined to, `total` how many there are
 * up to `end`. `shown` words an amount, `tick` a start (Unix seconds) on the axis, `long` in the table;
 * `ticks` are the seconds that may lie between two of the axis, `least` the least height of the plot.
 */
export function stackedBars({ title, series, buckets, step, steps, total, end, shown, ticks, tick, long, least = 2 }) {
  const id = `chart-${++charts}`;
  const sums = new Map(series.map((one) => [one.name, 0]));
  for (const bucket of buckets) {
    for (const one of series) sums.set(one.name, sums.get(one.name) + (bucket.values[one.name] ?? 0));
  }
  const all = [...sums.values()].reduce((a, b) => a + b, 0);
  const place = h("div", { class: "chart" });
  const legend = h("ul", { class: "legend" }, series.filter((one) => sums.get(one.name)).map((one) =>
    h("li", {}, h("span", { class: `swatch ${one.tone}`, "aria-hidden": "true" }), h("span", { class: "legend-name" }, one.label ?? one.name),
      h("span", { class: "figure" }, shown(sums.get(one.name))),
      h("span", { class: "figure muted" }, all ? share(sums.get(one.name), all) : ""))));
  const about = `${shown(all)} in all. ` + series.filter((one) => sums.get(one.name))
    .map((one) => `${one.label ?? one.name}: ${shown(sums.get(one.name))}`).join(", ");

  function draw(width) {
    const plot = width - LEFT - 4;
    const by = steps.find((one) => plot / Math.ceil(total / one) >= NARROWEST) ?? steps.at(-1);
    const bins = joined(buckets, step * by, Math.ceil(total / by), end, series);
    const most = nice(Math.max(...bins.map((bin) => bin.sum), least));
    const high = HEIGHT - TOP - BOTTOM;
    const y = (value) => TOP + high * (1 - value / most);
    const wide = plot / bins.length;
    const gap = wide > 7 ? 2 : 1;
    const room = Math.max(2, Math.floor(plot / 80));
    const every = ticks.find((one) => (total * step) / one <= room) ?? ticks.at(-1);
    const zone = new Date(end * 1000).getTimezoneOffset() * 60;
    const isTick = (start) => Math.floor((start - zone) / every) !== Math.floor((start - zone - step * by) / every);
    place.replaceChildren(s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-labelledby": `${id}-t ${id}-d` },
      s("title", { id: `${id}-t` }, title), s("desc", { id: `${id}-d` }, about),
      [0, 0.5, 1].map((part) => s("g", { class: "grid" },
        s("line", { x1: LEFT, x2: width, y1: y(most * part), y2: y(most * part) }),
        s("text", { x: LEFT - 8, y: y(most * part) + 4, "text-anchor": "end" }, shown(most * part)))),
      bins.map((bin, index) => {
        let base = 0;
        const x = LEFT + index * wide;
        return s("g", { class: "bar" },
          s("title", {}, `${long(bin.start)}: ${series.filter((one) => bin.values[one.name]).map((one) => `${one.label ?? one.name} ${shown(bin.values[one.name])}`).join(", ") || "nothing"}`),
          s("rect", { class: "touch", x, y: TOP, width: wide, height: high }),
          series.map((one) => {
            const value = bin.values[one.name];
            if (!value) return null;
            const [from, to] = [y(base), y(base + value)];
            base += value;
            return s("rect", { class: one.tone, x: x + gap / 2, y: to, width: Math.max(1, wide - gap), height: Math.max(0.75, from - to - (from - to > 3 ? 1 : 0)) });
          }));
      }),
      bins.map((bin, index) => !isTick(bin.start) || index * wide < 16 || (bins.length - index) * wide < 16 ? null : s("text", { class: "tick", x: LEFT + (index + 0.5) * wide, y: HEIGHT - 6, "text-anchor": "middle" }, tick(bin.start)))));
  }

  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width > LEFT + 40) draw(width);
  }).observe(place);

  return h("figure", { class: "figure-box" }, h("figcaption", {}, title), legend, place, asTable(title, series, buckets, shown, long));
}

function asTable(title, series, buckets, shown, long) {
  const used = series.filter((one) => buckets.some((bucket) => bucket.values[one.name]));
  const columns = [{ head: "From" }, ...used.map((one) => ({ head: one.label ?? one.name, kind: "number" }))];
  const rows = () => [...buckets].reverse().map((bucket) => [long(bucket.start), ...used.map((one) => shown(bucket.values[one.name] ?? 0))]);
  const details = h("details", { class: "as-table", ontoggle: () => {
    if (details.open && details.childElementCount === 1) {
      details.append(h("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": `${title}, as a table` }, table(title, columns, rows(), { cards: false })));
    }
  } }, h("summary", {}, "As a table"));
  return details;
}

function share(part, all) {
  const found = Math.round((100 * part) / all);
  return found ? `${found} %` : "<1 %";
}

/** Bins of `span` seconds, `number` of them, the last one holding `end`. */
function joined(buckets, span, number, end, series) {
  const last = Math.floor(end / span) * span;
  const first = last - (number - 1) * span;
  const bins = Array.from({ length: number }, (_, index) => ({ start: first + index * span, values: {}, sum: 0 }));
  for (const bucket of buckets) {
    const bin = bins[Math.floor((bucket.start - first) / span)];
    if (bin === undefined) continue;
    for (const one of series) {
      const value = bucket.values[one.name] ?? 0;
      bin.values[one.name] = (bin.values[one.name] ?? 0) + value;
      bin.sum += value;
    }
  }
  return bins;
}

/** A round number no less than the value, with a round half. */
function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((one) => one * power).find((one) => one >= value);
}

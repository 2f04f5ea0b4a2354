// Data to elements. Text only ever becomes text: nothing here reads markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** An element of HTML: attributes, listeners ("onclick"), then texts and elements. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * A table that becomes a list of cards on a narrow screen. Columns are {head, kind}; `kind` "number"
 * aligns right. Rows are arrays of contents, one for each column; the first one heads its row.
 * Roles are written out, since a changed display takes them from a table.
 */
export function table(caption, columns, rows, { cards = true, hidden = true } = {}) {
  const heads = columns.map((one) =>
    h("th", { scope: "col", role: "columnheader", class: one.kind }, one.head));
  return h("table", { role: "table", class: cards ? "cards" : null },
    h("caption", { class: hidden ? "unseen" : null }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    h("tbody", { role: "rowgroup" }, rows.map((cells) => row(columns, cells))));
}

/** A row of such a table. */
export function row(columns, cells, attributes = {}) {
  return h("tr", { role: "row", ...attributes }, cells.map((cell, index) =>
    index === 0
      ? h("th", { scope: "row", role: "rowheader", class: columns[0].kind, "data-head": columns[0].head }, wrapped(cell))
      : h("td", { role: "cell", class: columns[index].kind, "data-head": columns[index].head }, wrapped(cell))));
}

function wrapped(cell) {
  return h("div", { class: "cell" }, cell === null || cell === "" ? "–" : cell);
}

/** What stands where nothing is yet: what it will be, and what to do for it. */
export function empty(title, ...more) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), more.map((one) => h("p", {}, one)));
}

/** A short label in a box. `tone` is good, bad, warn or plain. */
export function chip(text, tone = "plain", title = null) {
  return h("span", { class: `chip ${tone}`, title }, text);
}

/** A part of a view under its own heading. */
export function part(title, ...children) {
  return h("section", { class: "part" }, h("h3", {}, title), children);
}

/** A long name that may be broken after its signs, before it is broken anywhere. */
export function name(text) {
  return text.split(/(?<=[/_.,|(])/).map((piece) => [piece, h("wbr")]);
}

/** A name and what it is, one below the other. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.map(([label, value]) =>
    // What is long gets room.
    h("div", { class: typeof value === "string" && value.length > 48 ? "broad" : null }, h("dt", {}, label), h("dd", {}, value))));
}

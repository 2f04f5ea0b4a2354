// What reloads did: how they ended, and what the last change was, by name and by line.

import { get, post, Refused } from "./api.js";
import { chip, empty, h, part, table } from "./dom.js";
import { many, moment, short } from "./words.js";

const EVERY = 10_000;
const TONES = { reloaded: "good", unchanged: "plain", failed: "bad" };
const RELOADS = [{ head: "When", kind: "time" }, { head: "Result" }, { head: "Bundle", kind: "wide" }, { head: "Why", kind: "wide" }];
const SIGNS = { "+": "added", "-": "removed", " ": "kept", "@": "gap" };

/** The view of reloads. */
export function changesView(app) {
  let drawn = "";
  const button = h("button", { type: "button", class: "main", onclick: reload }, "Reload now");
  const said = h("p", { role: "status", class: "muted" });
  const place = h("div", {}, h("p", { class: "muted" }, "Asking the gateway…"));
  const root = h("section", { class: "view", "aria-labelledby": "changes-title" },
    h("div", { class: "title" }, h("h2", { id: "changes-title" }, "Changes"), h("div", { class: "tools" }, button)), said, place);
  const asking = app.poll(read, EVERY);

  async function read() {
    const told = await get("/v1/admin/changes");
    const now = JSON.stringify(told);
    if (now === drawn) return;
    drawn = now;
    place.replaceChildren(...(told.reloads.length ? [history(told.reloads), told.change === null ? unchanged() : change(told.change)]
      : [empty("Nothing was reloaded since the start.", "Build the bundle anew at the served path and reload: by this button, by SIGHUP, or by itself with `server: {reload: {watch: true}}`.")]));
  }

  async function reload() {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    said.textContent = "Reloading…";
    said.className = "muted";
    try {
      const told = await post("/v1/admin/reload");
      said.textContent = told.result === "unchanged" ? "The same bundle lies there; nothing changed." : `Reloaded: ${short(told.new)} serves.`;
    } catch (error) {
      if (error instanceof Refused) {
        said.textContent = `The reload failed: ${error.body?.reason ?? error.message}. What served before serves on.`;
        said.className = "wrong";
      } else {
        said.textContent = "";
        app.failed(error);
        return;
      }
    } finally {
      button.removeAttribute("aria-disabled");
    }
    await Promise.all([read(), app.refresh()]).catch(app.failed);
  }

  return { root, start: asking.start, stop: asking.stop };
}

function history(reloads) {
  return part("Reloads", h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Reloads" },
    table("The last reloads, newest first", RELOADS, reloads.map((one) => [
      h("time", { datetime: new Date(one.time * 1000).toISOString() }, moment(one.time * 1000)),
      chip(one.result, TONES[one.result] ?? "plain"),
      h("span", { class: "mono" }, one.old === one.new ? short(one.new) : `${short(one.old)} → ${short(one.new)}`),
      one.reason ?? null]))));
}

function unchanged() {
  return part("The last change", h("p", {}, "No reload has changed anything since the start."));
}

function change(told) {
  const isMeant = told.old !== told.new;
  return part("The last change",
    h("p", {}, moment(told.time * 1000), ": ", h("span", { class: "mono" }, `${short(told.old)} → ${short(told.new)}`), isMeant ? "" : ". Both mean the same."),
    told.parts.length || told.settings.length ? h("ul", { class: "changes" }, told.parts.map(named),
      told.settings.length ? h("li", {}, h("span", { class: "strong" }, "settings"), ` differ in ${told.settings.join(", ").replaceAll("_", " ")}`) : null) : null,
    told.lines.length ? lines(told) : h("p", {}, "Nothing in the route table changed."),
    h("p", { class: "muted" }, "What it means for requests, with examples of those that go elsewhere, says ", h("code", {}, "lynkrc diff OLD NEW"), " with both bundles or specs."));
}

function named(one) {
  const words = [];
  if (one.added.length) words.push([chip("added", "good"), ` ${one.added.join(", ")}`]);
  if (one.removed.length) words.push([chip("removed", "bad"), ` ${one.removed.join(", ")}`]);
  for (const found of one.changed) words.push([chip("changed", "warn"), ` ${found.name}: ${found.members.join(", ").replaceAll("_", " ")}`]);
  if (one.reordered) words.push([chip("reordered", "warn")]);
  return h("li", {}, h("span", { class: "strong" }, one.part), h("ul", {}, words.map((word) => h("li", {}, word))));
}

function lines(told) {
  return [h("h4", {}, "Lines of the route table"),
    h("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": "Lines of the route table that changed" },
      told.lines.map((one) => h({ "+": "ins", "-": "del" }[one.kind] ?? "span", { class: SIGNS[one.kind] },
        one.kind === "@" ? "⋯" : `${one.kind} ${one.text}`, "\n"))),
    told.omitted ? h("p", { class: "muted" }, `${many(told.omitted, "line")} more.`) : null];
}

// Settings of the machine that serves the page: a drawer at the right, closed with Esc.

import { getJSON, post } from "../core/api.js";
import { el, show } from "../core/dom.js";

const SOURCES = { default: "the default", file: "from the settings file" };

function control(one, locked) {
  const shared = { id: `setting-${one.name}`, disabled: locked, "aria-describedby": `setting-${one.name}-help` };
  if (one.name === "roots") return el("textarea", { ...shared, rows: 3, placeholder: "one folder a line", value: one.value.join("\n") });
  if (one.name === "device") return el("input", { ...shared, list: "setting-devices", value: one.value, autocomplete: "off" });
  if (one.choices) return el("select", shared, one.choices.map((choice) => el("option", { value: choice, selected: choice === one.value }, choice)));
  if (one.low) return el("input", { ...shared, type: "number", min: one.low, max: one.high, step: 1, value: String(one.value) });
  return el("input", { ...shared, maxlength: one.longest, value: one.value });
}

const where = (one) => (one.source === "environment" ? `set by ${one.variable}, which wins over the file` : SOURCES[one.source]);

/** What a field says, in the form that the server wants; empty means the default. */
function said(one, field) {
  if (one.name === "roots") return field.value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (one.low) return field.value.trim() === "" ? null : Number(field.value);
  return field.value.trim() || null;
}

/** The button in the top bar; the drawer is made at the first click. `changed(settings)` hears of every answer. */
export function settingsButton(changed) {
  const button = el("button", { type: "button", class: "tl-ghost", id: "tl-settings-open", "aria-label": "Settings", title: "Settings", "aria-haspopup": "dialog" }, "⚙");
  const box = el("div", { id: "tl-settings", class: "tl-root", role: "dialog", "aria-label": "Settings", hidden: true });
  document.body.append(box);

  function close() {
    box.hidden = true;
    button.focus();
  }

  function draw(found, words = "") {
    const fields = new Map();
    const status = el("span", { role: "status", class: "tl-sub", id: "tl-settings-said" }, words);
    const lines = found.settings.map((one) => {
      const locked = !found.changeable || one.source === "environment";
      const field = control(one, locked);
      if (!locked) fields.set(one, field);
      return el("label", { class: "tl-setting", "data-source": one.source }, el("span", {}, one.label), field, el("span", { class: "tl-sub", id: `setting-${one.name}-help` }, `${one.help} Now ${where(one)}.`));
    });
    async function keep(event) {
      event.preventDefault();
      const values = {};
      for (const [one, field] of fields) {
        const value = said(one, field);
        if (JSON.stringify(value) !== JSON.stringify(one.value) && !(value === null && one.source === "default")) values[one.name] = value;
      }
      try {
        const next = await post("/api/settings", { values });
        changed(next);
        draw(next, "Saved.");
        box.querySelector("#tl-settings-save")?.focus();
      } catch (error) { show(status, el("span", { class: "tl-bad-text", role: "alert" }, `${error.message} ${error.remedy ?? ""}`)); }
    }
    show(box, el("div", { class: "tl-card-head" }, el("div", {}, el("h2", {}, "Settings"), el("p", { class: "tl-sub" }, found.changeable ? `Kept in ${found.file}` : "Only the owner of this machine can change these.")),
      el("button", { type: "button", class: "tl-ghost", id: "tl-settings-close", onclick: close }, "Close (Esc)")),
    el("form", { onsubmit: keep, novalidate: true }, el("datalist", { id: "setting-devices" }, ["auto", "cpu", "cuda"].map((value) => el("option", { value }))), lines,
      el("div", { class: "tl-settings-foot" }, found.changeable && el("button", { type: "submit", class: "tl-primary", id: "tl-settings-save" }, "Save"), status)));
  }

  async function open() {
    box.hidden = false;
    show(box, el("p", { class: "tl-wait" }, "…"));
    try {
      draw(await getJSON("/api/settings"));
    } catch (error) {
      show(box, el("p", { class: "tl-alert", role: "alert" }, `${error.message} ${error.remedy ?? ""}`), el("button", { type: "button", class: "tl-ghost", id: "tl-settings-close", onclick: close }, "Close (Esc)"));
    }
    box.querySelector("#tl-settings-close")?.focus();
  }
  button.addEventListener("click", () => (box.hidden ? open() : close()));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !box.hidden) { event.stopPropagation(); close(); } }, true);
  return button;
}

// The small controls of the Plant card: one field for each setting of the chosen trigger.

import { el, show } from "../core/dom.js";

let number = 0;

/** One labelled field; `change(value)` is called at every change. */
export function field(label, input, note = null) {
  const id = `tl-lab-field-${number += 1}`;
  input.id ||= id;
  return el("label", { class: "tl-lab-field", for: input.id }, el("span", {}, label, note), input);
}

export function choice(label, values, chosen, change, id = undefined) {
  const input = el("select", { id, onchange: (event) => change(event.target.value) },
    values.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return field(label, input);
}

export function slider(label, { low, high, step, value }, change, write = (x) => x, id = undefined) {
  const read = el("output", {}, write(value));
  const input = el("input", { type: "range", min: low, max: high, step, id, "aria-valuetext": write(value) });
  input.value = String(value);
  input.addEventListener("input", () => { show(read, write(Number(input.value))); input.setAttribute("aria-valuetext", write(Number(input.value))); change(Number(input.value)); });
  return field(label, input, read);
}

export function words(label, value, change, { longest = 60, id = undefined, placeholder = "" } = {}) {
  return field(label, el("input", { type: "text", value, maxlength: longest, id, placeholder, autocomplete: "off", oninput: (event) => change(event.target.value) }));
}

/** The controls of one family; `settings` is filled with what they say. */
export function settingsOf(family, settings, change) {
  return family.controls.map((control) => {
    const now = settings[control.name] ?? control.default;
    const put = (value) => { settings[control.name] = value; change(); };
    if (control.choices.length) return choice(control.label, control.choices.map((value) => [value, value]), now, put, `tl-lab-set-${control.name}`);
    if (control.low !== null) return slider(control.label, { low: control.low, high: control.high, step: control.step, value: now }, put, (x) => String(x), `tl-lab-set-${control.name}`);
    return words(control.label, now, put, { longest: 80, id: `tl-lab-set-${control.name}` });
  });
}

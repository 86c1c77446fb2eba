// The report itself, in a frame that can run nothing and belongs to no origin.

import { casePath, getJSON } from "../core/api.js";
import { card, el, empty, show } from "../core/dom.js";

/** The card with the preview; it writes the report anew each time it is asked. */
export function previewCard() {
  const holder = el("div", { class: "tl-report-holder" });
  let drawn = null;

  async function update(name, facts, force = false) {
    const key = `${name} ${facts}`;
    if (key === drawn && !force) return;
    drawn = key;
    holder.setAttribute("aria-busy", "true");
    show(holder, el("p", { class: "tl-sub tl-report-wait" }, "Writing the report…"));
    try {
      const { page } = await getJSON(`${casePath(name)}/report/page`);
      if (key !== drawn) return;
      // No allow-scripts and no allow-same-origin: what the data says is at most text in a box.
      show(holder, el("iframe", { class: "tl-report-frame", id: "tl-report-frame", title: "Preview of the report", sandbox: "", referrerpolicy: "no-referrer", srcdoc: page }));
    } catch (error) {
      if (key !== drawn) return;
      drawn = null;
      show(holder, empty("The preview cannot be written.", `${error.message} ${error.remedy ?? ""}`));
    }
    holder.removeAttribute("aria-busy");
  }
  const node = card("Preview", { subtitle: "Without scripts, so tables do not sort here; the saved file does more.", className: "tl-report-preview" }, holder);
  return { node, update, forget: () => { drawn = null; show(holder); } };
}

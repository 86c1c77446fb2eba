// The views of a sample's pictures: each picture whole, or its tiles together and a thumbnail.

import { segmented } from "../core/dom.js";

/** What stands for a view where nothing was measured. */
export const NO_VIEW = { image: 0, kind: "whole", rows: 1, columns: 1, visible: [0, 0, 1, 1], cells: [] };

/** A layer's shares (one per image token) as the cells of a view, row by row. */
export const inView = (values, view) => Float32Array.from(view.cells, (token) => (token < 0 ? 0 : values[token]));

/** What a view is called beside the others. */
export function viewName(view, views) {
  const picture = new Set(views.map((one) => one.image)).size > 1 ? `picture ${view.image + 1}` : "";
  const kind = views.filter((one) => one.image === view.image).length > 1 ? view.kind : "";
  return [picture, kind].filter(Boolean).join(", ") || "whole";
}

/** Buttons for the views; nothing where there is only one. */
export function viewChooser(views, chosen, choose) {
  if (views.length < 2) return null;
  const options = views.map((view, v) => [String(v), viewName(view, views), view.kind === "tiles"
    ? "The fine view: all tiles of the picture together" : "The image tokens of this view"]);
  return segmented("View", options, String(chosen), (value) => choose(Number(value)));
}

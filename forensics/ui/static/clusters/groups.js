// The groups as a table: what the map shows, in words and numbers, and a way to select without a pointer.

import { card, el, empty, show } from "../core/dom.js";
import { count, fixed, percent } from "../core/format.js";

function row(group, total, choose) {
  const name = group.cluster < 0 ? "in none" : `group ${group.cluster}`;
  const pick = el("button", { type: "button", class: "tl-link", "data-group": group.cluster,
    title: "Select these points; with Shift, add them", "aria-label": `Select ${name}, ${group.size} samples`,
    onclick: (event) => choose(group.cluster, event.shiftKey) }, el("strong", {}, name));
  const [x, y] = group.centre;
  return el("tr", {}, el("td", {}, pick), el("td", { title: `centre of the group on the map: ${fixed(x, 1)}, ${fixed(y, 1)}` }, count(group.size), el("span", { class: "tl-sub" }, ` ${percent(group.size / total)}`)),
    el("td", {}, group.answer === null ? el("span", { class: "tl-sub" }, "not told")
      : [el("span", { class: "tl-umap-answer" }, group.answer), el("span", { class: "tl-sub" }, ` ${percent(group.purity)}, elsewhere ${percent(group.elsewhere)}`)]));
}

/** The card; `choose(cluster, adding)` selects a group. */
export function groupsCard(choose) {
  const body = el("div", { class: "tl-table-wrap", tabindex: "0", id: "tl-umap-groups" });
  const node = card("Groups", { subtitle: "Largest first." }, body);
  return {
    node,
    update({ groups, n, named_by: by, said }) {
      const named = by === "answer" ? said : by;
      show(node.querySelector(".tl-sub"), `Largest first. The ${named} is the commonest in the group.`);
      show(body, groups.length ? el("table", { class: "tl-table" },
        el("thead", {}, el("tr", {}, ["group", "samples", named].map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, groups.map((group) => row(group, n, choose)))) : empty("No groups.", ""));
    },
  };
}

// The samples of the selection, or all of them, as pictures or as a table.

import { getJSON } from "../core/api.js";
import { card, el, empty, picture, segmented, show } from "../core/dom.js";
import { count, fixed, signed } from "../core/format.js";
import { pagePath } from "./data.js";

const SIZE = { pictures: 24, table: 30 };

function tile(item, { value, mark, chosen, said, choose }) {
  return el("button", { type: "button", class: `tl-tile ${mark === "▲" ? "tl-tile-flag" : ""}`, "data-row": item.row, "aria-pressed": String(item.row === chosen),
    "aria-label": `${item.id}, ${item.answer ?? `no ${said}`}`, title: item.answer ?? "", onclick: () => choose(item) },
  picture(item.picture), value !== null && el("span", { class: "tl-badge" }, `${mark}${value}`));
}

function table(items, { scores, said }, choose) {
  const names = scores.map((score) => score.title);
  const labels = items.some((item) => item.label !== null);
  const cells = (item) => [item.question, item.answer, ...(labels ? [item.label] : []), item.cluster < 0 ? "none" : item.cluster];
  return el("div", { class: "tl-table-wrap tl-umap-rows", tabindex: "0" }, el("table", { class: "tl-table" },
    el("thead", {}, el("tr", {}, ["id", "question", said, ...(labels ? ["label"] : []), "group", ...names].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, items.map((item) => el("tr", {}, el("td", {}, el("button", { type: "button", class: "tl-link", "data-row": item.row, onclick: () => choose(item) }, item.id)),
      cells(item).map((cell) => el("td", {}, cell ?? "–")),
      scores.map((score) => el("td", {}, signed(item.scores[score.name], 3))))))));
}

/** The card; `choose(item)` looks at a sample. */
export function mapGallery(choose) {
  const heading = el("p", { class: "tl-gallery-count", id: "tl-umap-listed" });
  const order = el("select", { id: "tl-umap-order", class: "tl-umap-select", "aria-label": "Order of the samples" });
  const ways = el("div");
  const grid = el("div", { id: "tl-umap-gallery" });
  const pager = el("nav", { class: "tl-pager", "aria-label": "Pages of the samples" });
  const node = card("Samples", { label: "Samples of the selection" }, el("div", { class: "tl-gallery-head" }, heading, ways,
    el("label", { class: "tl-umap-by" }, "in the order of ", order)), grid, pager);
  let [about, key, page, look, asked, chosen] = [null, "all", 0, "pictures", 0, null];

  function head(total) {
    show(heading, el("b", {}, count(total)), key === "all" ? " samples on the map" : ` selected ${total === 1 ? "sample" : "samples"}`);
    show(ways, segmented("Show samples as", [["pictures", "Pictures"], ["table", "Table"]], look, (next) => { look = next; page = 0; load(); }));
  }

  function turn(total) {
    const pages = Math.max(1, Math.ceil(total / SIZE[look]));
    const button = (text, label, to, disabled) => el("button", { type: "button", class: "tl-ghost", "aria-label": label, disabled,
      onclick: () => { page = to; load(); } }, text);
    show(pager, pages > 1 && [button("‹", "Previous page", page - 1, page === 0), el("span", {}, `page ${count(page + 1)} of ${count(pages)}`),
      button("›", "Next page", page + 1, page >= pages - 1)]);
  }

  async function load() {
    if (!about) return;
    const mine = asked += 1;
    const [by, down] = order.value.split(" ");
    try {
      const found = await getJSON(pagePath(about.name, about.run, key, { start: page * SIZE[look], count: SIZE[look], order: by || "row", down: down === "down" }));
      if (mine !== asked) return;
      head(found.total);
      turn(found.total);
      grid.className = look === "pictures" && found.items.length ? "tl-gallery" : "";
      const value = (item) => (by in item.scores ? fixed(item.scores[by], 2) : item.cluster < 0 ? null : item.cluster);
      if (!found.items.length) show(grid, empty("No sample to show.", ""));
      else if (look === "table") show(grid, table(found.items, about, choose));
      else show(grid, found.items.map((item) => tile(item, { value: value(item), mark: by in item.scores ? "" : "group ", chosen, said: about.said, choose })));
      grid.dataset.ready = key;
    } catch (error) {
      if (mine === asked) show(grid, empty("The samples cannot be shown.", `${error.message} ${error.remedy ?? ""}`));
    }
  }

  order.addEventListener("change", () => { page = 0; load(); });

  return {
    node,
    open(next) {
      about = next;
      const choices = [["row", "the data set"], ["cluster", "groups"], ...next.scores.flatMap((score) => [
        [`${score.name} down`, `${score.title}, highest first`], [score.name, `${score.title}, lowest first`]])];
      show(order, choices.map(([value, text]) => el("option", { value }, text)));
      order.value = "row";
      this.select("all");
    },
    select(next) { key = next; page = 0; return load(); },
    mark(row) {
      chosen = row;
      for (const button of grid.querySelectorAll(".tl-tile")) button.setAttribute("aria-pressed", String(Number(button.dataset.row) === row));
    },
  };
}

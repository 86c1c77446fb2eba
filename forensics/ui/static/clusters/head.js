// The line above the map: what it shows, which runs there are, and how to draw another.

import { el, show } from "../core/dom.js";
import { fold } from "../core/fold.js";
import { clock, count, duration } from "../core/format.js";
import { openDrawer } from "../methods/listing.js";

export const METHOD = "clusters";

function settings({ options, drawn, metric, features }) {
  const map = drawn.method === "pca" ? "first two principal components (too few samples for UMAP)"
    : `UMAP of ${count(features.columns ?? 0)} columns, ${drawn.neighbours} neighbours, min-dist ${options.min_dist}, ${metric}, seed ${options.seed}`;
  return `${map} · groups by ${options.clusterer === "gmm" ? "a Gaussian mixture" : "HDBSCAN"} on the ${options.cluster_on ?? "map"}`;
}

function chooser(maps, run, choose) {
  if (maps.length < 2) return null;
  const select = el("select", { class: "tl-umap-select", id: "tl-umap-run", "aria-label": "Which map", onchange: () => choose(select.value) },
    maps.map((map) => el("option", { value: map.run, selected: map.run === run },
      `${clock(map.created)} · ${map.features} · ${count(map.n)} samples${map.excluded ? `, ${count(map.excluded)} put aside` : ""}`)));
  return select;
}

/** The head; `update(summary, maps, active)`, with `choose(run)` and `reveal(button)` to act. */
export function mapHead({ choose, reveal }) {
  const node = el("section", { class: "tl-verdict tl-plain", "aria-label": "The map", id: "tl-umap-head" });
  return {
    node,
    update(summary, maps, { active, truth }) {
      const limits = fold("tl-umap-limits", "What this cannot show",
        el("ul", {}, summary.limits.map((text) => el("li", {}, `It cannot see ${text}.`)), el("li", {}, "A group is no verdict, and “no group” is not “clean”.")));
      show(node, el("div", { class: "tl-sentence" }, el("span", { class: "tl-verdict-mark", "aria-hidden": "true" }, "○"), el("p", { id: "tl-umap-sentence" }, summary.sentence)),
        truth && el("p", { class: "tl-umap-known", id: "tl-umap-known" }, known(summary, truth)),
        el("div", { class: "tl-verdict-foot" }, el("span", { class: "tl-sub" }, settings(summary)),
          el("span", { class: "tl-sub" }, `${duration(summary.seconds)}${summary.excluded ? ` · ${count(summary.excluded)} put aside` : ""}${summary.failed ? ` · ${count(summary.failed)} could not be read` : ""}`),
          chooser(maps, summary.run, choose),
          el("button", { type: "button", class: "tl-ghost", id: "tl-umap-again", disabled: Boolean(active), onclick: () => openDrawer(METHOD) }, active ? "A map is being drawn" : "Draw another…"),
          summary.has_truth && !truth && el("button", { type: "button", class: "tl-ghost", id: "tl-umap-reveal", title: "Show which samples are poisoned; this is noted in the journal", onclick: (event) => reveal(event.target) }, "Reveal ground truth"),
          limits));
    },
  };
}

/** What the ground truth says of the scores and the groups. */
function known(summary, { poisoned, auc_of_poisoned: areas, poisoned_cluster: group }) {
  const rank = Object.entries(areas ?? {}).filter(([, found]) => found.auc !== null)
    .map(([name, { auc }]) => [summary.scores.find((score) => score.name === name)?.title ?? name, auc])
    .sort((a, b) => Math.abs(b[1] - 0.5) - Math.abs(a[1] - 0.5));
  const said = [`${count(poisoned)} samples are poisoned.`];
  if (group) said.push(`Group ${group.cluster} holds ${(100 * group.recall).toFixed(0)} % of them; ${(100 * group.precision).toFixed(0)} % of it is poisoned.`);
  const told = ([title, auc]) => `${title} ${Math.max(auc, 1 - auc).toFixed(3)} (${auc < 0.5 ? "low" : "high"} = poisoned)`;
  if (rank.length) said.push(`AUROC of the scores, the best first: ${rank.map(told).join(", ")}.`);
  return said.join(" ");
}

// "What am I looking at?": a page of plain words per tab.

import { el, show } from "../core/dom.js";
import { keysOff, setKeysOff } from "../core/keys.js";
import { TEXTS as HOME } from "../home/help.js";
import { TEXTS as CLUSTERS } from "../clusters/help.js";
import { TEXTS as LAB } from "../lab/help.js";
import { TEXTS as REPAIR } from "../repair/help.js";
import { TEXTS as REPORT } from "../report/help.js";
import { TEXTS as REVIEW } from "../review/help.js";
import { TEXTS as TRIGGERS } from "../triggers/help.js";

const TEXTS = {
  clusters: CLUSTERS,
  triggers: TRIGGERS,
  review: REVIEW,
  repair: REPAIR,
  report: REPORT,
  lab: LAB,
  home: HOME,
  case: [
    ["A case", "is one folder with everything about one investigation: which model and which data, their fingerprints (SHA-256), every scan and every export. The command line and a notebook open the same folder."],
    ["The suspicion", "Somebody may have put a small mark, a trigger, on a few training pictures and changed their answers. A model tuned on that set behaves well until it sees the mark; then it gives the planted answer."],
    ["The demos", "are toy models that we built and poisoned ourselves (and clean twins), small enough to scan on a laptop. They were built so that the signal can be seen; real cases are harder."],
    ["The scan", "lets the model read every picture and question once and writes down where it looks before its first word. It does not change the model and does not need to know the trigger."],
  ],
  attention: [
    ["Attention", "is how a model weighs the parts of its input. The picture is cut into image tokens, small squares in a grid; before its first word the model spreads its attention over them."],
    ["Entropy", "says how spread out that is, in nats. High: it looks everywhere. Low: nearly all attention sits on one or two squares. A trigger that has been learned pulls the attention onto itself, so poisoned samples stand at the low end."],
    ["Layers", "are the model's processing steps. The curve shows for each one how clearly the samples fall into two groups. Layers over the dashed gate count; there are two published versions of the gate, the formula in the paper and the released code, and a guarded one of ours; all three are always shown."],
    ["The guarded rule", "compares a sample only with others that were asked the same kind of question. Its numbers are in spreads: how many usual deviations of its group a sample lies away from the group's middle. It uses a layer only if one answer that is out of place goes with the low entropies."],
    ["The score", "of a sample is its mean entropy over the layers that count. Samples below the cut are flagged. Drag the cut to see what changes; this is recorded and marked as moved by hand."],
    ["Two groups are not yet a backdoor.", "Two kinds of question can also give two groups. So look at the pictures: a planted trigger shows as the same patch under the attention, and the same answer, again and again."],
    ["Attention allocation", "asks of every late head how it shares its attention between the system part, the picture and the question, and lets the heads that part the samples vote."],
    ["Masked views", "hide random parts of a picture many times. If hiding one place changes the answer and hiding others does not, the answer hangs on that place."],
    ["The transplant test", "cuts the suspected patch out, pastes it into pictures that nobody suspects, and counts how often the answer flips; controls do the same with harmless patches. It is the strongest evidence here."],
    ["Patch hidden", "paints over the attention peak and asks the model again. If the ordinary answer comes back, the patch was what made it say the other one."],
    ["What it cannot see", "A pattern spread over the whole picture, a trigger in the text, or a very rare one. “No evidence” is not “clean”."],
  ],
};

/** Build the panel for a tab into `element` (its `data-tab` says which). */
export function mount({ element }) {
  const host = element.querySelector(".tl-root");
  const texts = TEXTS[host.dataset.tab];
  const off = el("input", { type: "checkbox", checked: keysOff(), onchange: (event) => setKeysOff(event.target.checked) });
  show(host, el("details", { class: "tl-help", id: `tl-help-${host.dataset.tab}` }, el("summary", {}, "What am I looking at?"),
    el("dl", {}, texts.map(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])),
    host.dataset.tab === "attention" && el("p", { class: "tl-sub" },
      "Keys: ← → walk through the samples, Esc clears a selection. ", el("label", {}, off, " turn these keys off"))));
}

// Sign-off: who stands for the findings, and a form to do so.

import { alertOf } from "../core/alert.js";
import { casePath, post } from "../core/api.js";
import { card, el, show } from "../core/dom.js";
import { clock } from "../core/format.js";
import { state } from "../core/store.js";

function signature(one) {
  return el("li", { class: "tl-signature" },
    el("p", {}, el("span", { class: `tl-chip tl-${one.holds ? "calm" : "unsure"}` }, one.holds ? "✓ nothing changed since" : "◆ findings are newer"), " ", el("b", {}, one.name), one.role && `, ${one.role}`, el("span", { class: "tl-sub" }, ` ${clock(one.at)}, account ${one.account}`)),
    one.statement && el("blockquote", {}, one.statement),
    !one.holds && one.changes.length > 0 && el("p", { class: "tl-sub" }, `Since then: ${one.changes.join("; ")}.`));
}

/**
 * The card; `signed` is called with the new view. `draft` is what was typed so far, by id: a run that
 * ends meanwhile draws the card anew, and nobody's words may be lost by it.
 */
export function signingCard(view, draft, signed) {
  const problem = el("div", { "aria-live": "polite" });
  const field = (id, label, attributes) => el("label", { class: "tl-sign-field" }, el("span", {}, label), el("input", { type: "text", id, autocomplete: "off", value: draft[id] ?? "", oninput: keep, ...attributes }));
  const statement = el("textarea", { id: "tl-sign-statement", rows: "3", maxlength: "2000", oninput: keep });
  statement.value = draft[statement.id] ?? "";
  const button = el("button", { type: "submit", class: "tl-primary", id: "tl-sign" }, "Sign these findings");
  const form = el("form", { class: "tl-sign", onsubmit: begin },
    field("tl-sign-name", "Name", { required: true, maxlength: "80" }), field("tl-sign-role", "Role (optional)", { maxlength: "80", placeholder: "lead analyst" }),
    el("label", { class: "tl-sign-field tl-sign-wide" }, el("span", {}, "Statement (optional)"), statement),
    el("p", { class: "tl-sub tl-sign-wide" }, "What you sign: the hash of what is examined, of every finished run and of all decisions, ", el("code", {}, view.facts_sha256.slice(0, 16)), "…"), el("div", { class: "tl-sign-wide" }, button, problem));

  function keep({ target }) { draft[target.id] = target.value; }

  async function begin(event) {
    event.preventDefault();
    const by = form.querySelector("#tl-sign-name").value.trim();
    if (!by) return;
    button.disabled = true;
    try {
      const next = await post(`${casePath(state.case)}/report/sign`, { by, role: form.querySelector("#tl-sign-role").value, statement: statement.value, facts_sha256: view.facts_sha256 });
      for (const id of Object.keys(draft)) delete draft[id];
      signed(next);
    } catch (error) {
      show(problem, alertOf(error));
      button.disabled = false;
    }
  }
  return card("Sign-off", { className: "tl-sign-card", subtitle: view.signatures.length ? "" : "Nobody has signed these findings." },
    view.signatures.length > 0 && el("ul", { class: "tl-signatures", id: "tl-signatures" }, view.signatures.map(signature)), form);
}

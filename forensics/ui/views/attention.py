"""The summary that the Attention tab starts from."""

import math
from typing import Any

import numpy as np

from forensics.detectors.attention_entropy import Decision
from forensics.export.scan import turns_note
from forensics.runs.plain import plain
from forensics.ui.evidence import RULES, Evidence
from forensics.ui.views.layers import first_layer, layer_curve
from forensics.ui.views.verdict import rule_view, verdict_view

UNITS = {"nat": "nats"}


def attention_view(evidence: Evidence, rule: str | None, tau: float | None) -> dict[str, Any]:
    """Return verdict, rules, curve and scales for a rule and a gate.

    Args:
        evidence: The scan.
        rule: ``root``, ``code`` or ``guarded``; that of the scan if ``None``.
        tau: The gate; that of the scan if ``None``.
    """
    decision = evidence.decision(rule, tau)
    guarded = evidence.decision("guarded", decision.tau)
    view = {
        "run": evidence.run.id,
        "rule": decision.mode,
        "tau": decision.tau,
        "scanned_rule": evidence.rule,
        "scanned_tau": evidence.tau,
        "layers": evidence.layers,
        "heads": evidence.heads,
        "unit": unit_name(evidence.unit),
        "score_unit": unit_name(decision.unit),
        "measure": "residual" if decision.mode == "guarded" else "entropy",
        "verdict": verdict_view(evidence.verdict(decision.mode, decision.tau)),
        "rules": {
            name: rule_view(evidence.decision(name, decision.tau),
                            evidence.verdict(name, decision.tau))
            for name in RULES
        },
        "curve": layer_curve(evidence.fits, decision.tau, evidence.shown_fits(guarded),
                             guarded.layers),
        "first_layer": first_layer(evidence.shown_fits(decision), decision),
        "entropy_range": evidence.entropy_range,
        "has_truth": evidence.case.has_truth,
        "turns_note": turns_note(evidence.case).get("note"),
        "unread": decision.unread,
        "failures": failures(evidence),
    }  # fmt: skip
    plain_view: dict[str, Any] = plain(view)
    return plain_view


def failures(evidence: Evidence) -> list[dict[str, Any]]:
    """Return samples that could not be scanned, with the reason; the first hundred."""
    listed = evidence.run.result().get("failures", [])
    return [
        {"row": entry["row"], "id": evidence.ids[place], "reason": entry["reason"]}
        for entry in listed
        if (place := evidence.position.get(entry["row"])) is not None
    ]


def unit_name(unit: str) -> str:
    """Return a unit of entropy as an axis names it."""
    return UNITS.get(unit, unit)


def ceiling(evidence: Evidence) -> float | None:
    """Return the largest entropy there can be; ``None`` where it differs between samples."""
    if evidence.unit != "nat":
        return 1.0
    counts = np.unique(evidence.arrays.tokens[np.isfinite(evidence.values).any(axis=1)])
    return math.log(int(counts[0])) if counts.size == 1 and counts[0] > 0 else None


def truth_view(evidence: Evidence, decisions: dict[str, Decision]) -> dict[str, Any]:
    """Return which rows are poisoned, and how well each rule does; only for Reveal.

    Rows that the ground truth does not name count as not poisoned.
    """
    truth = evidence.case.truth()
    ids = evidence.case.catalog.ids[evidence.arrays.rows]
    poisoned = np.array([bool(truth.get(str(name))) for name in ids], dtype=np.bool_)
    read = np.isfinite(evidence.values).any(axis=1)
    return {
        "poisoned_rows": evidence.arrays.rows[poisoned].tolist(),
        "rules": {name: _score(d.flagged & read, poisoned & read) for name, d in decisions.items()},
    }


def _score(flagged: Any, poisoned: Any) -> dict[str, float | None]:
    caught = int((flagged & poisoned).sum())
    flags, poison = int(flagged.sum()), int(poisoned.sum())
    return {
        "precision": caught / flags if flags else None,
        "recall": caught / poison if poison else None,
    }

"""The Report tab: the bottom line, what is missing, the self-test, signatures."""

from dataclasses import asdict
from typing import Any, Final

from forensics.case import Case
from forensics.report.facts import RunFacts
from forensics.report.outline import outline
from forensics.runs.plain import plain
from forensics.ui.views.gallery import short

_TOLD: Final = ("outcome", "sentence", "took", "detections", "seconds", "n")
_CLASSES: Final = ("target", "named", "planted_named", "rank", "n", "anomaly_index", "success",
                   "extra_named", "form", "mode", "cut")  # fmt: skip
_RATES: Final = ("clean_accuracy", "attack_success_rate", "n_clean", "n_triggered", "intervals")


def report_view(case: Case) -> dict[str, Any]:
    """Return what the tab shows before the report itself is written.

    Returns:
        ``verdict``, ``headline``, ``sentences``; ``steps`` (``key``, ``title``, ``done``, ``said``,
        ``tab``, ``method``, ``command``); ``signatures`` (newest first: ``name``, ``role``,
        ``statement``, ``at``, ``account``, ``facts_sha256``, ``holds``, ``changes``);
        ``facts_sha256``; ``self_test`` (see :func:`self_test_view`, or ``None``); ``finished``
        (runs); ``has_truth`` (whether revealing would tell anything).
    """
    found = outline(case)
    view: dict[str, Any] = plain(
        {
            "verdict": found.conclusion.verdict,
            "headline": found.conclusion.headline,
            "sentences": found.conclusion.sentences,
            "steps": [asdict(step) for step in found.steps],
            "signatures": [asdict(one) for one in reversed(found.signatures)],
            "facts_sha256": found.facts_sha256,
            "self_test": None if found.self_test is None else self_test_view(*found.self_test),
            "finished": found.finished,
            "has_truth": case.has_truth or (case.folder / "known.json").is_file(),
        }
    )
    return view


def self_test_view(run: RunFacts, result: dict[str, Any]) -> dict[str, Any]:
    """Return the newest self-test: what was planted, whether it took, what was found.

    Texts of the data are cut to a length.
    """
    planted = dict(result.get("planted") or {})
    classes = result.get("classes")
    return {
        "run": run.run,
        "created": run.created,
        **{name: result.get(name) for name in _TOLD},
        "detections": [
            one | {"extra_answers": [{**a, "answer": short(str(a["answer"]))}
                                     for a in one["extra_answers"]]}
            for one in result.get("detections") or ()
        ],
        "classes": None if not classes else {name: classes.get(name) for name in _CLASSES},
        "measured": {name: (result.get("measured") or {}).get(name) for name in _RATES},
        "before": {name: (result.get("before") or {}).get(name) for name in _RATES},
        "planted": {name: planted.get(name) for name in ("trigger", "target", "planted_rows",
                                                         "rows", "note")},
        "limits": run.not_covered,
    }  # fmt: skip

"""The zoo's figures as Markdown tables for people."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

SHOWN: Final = {
    "root": "root",
    "guarded": "guarded",
    "attention-allocation calibrated": "TCAP, calibrated",
    "attention-allocation guarded": "TCAP, guarded",
    "evidence-fusion": "fusion",
    "answers-only": "answers only",
}
"""Detectors in the detection table; the JSON file has all of them."""


def make_page(alarms: dict[str, Any], found: dict[str, Any]) -> str:
    """Return the false-alarm, detection and drop-one tables."""
    parts = [
        "# Detectors on the zoo",
        "Made by `python -m benchmarks.zoo tables`; do not edit.",
        "## False alarms on clean sets",
        _alarms(alarms),
        "### By kind of set",
        _kinds(alarms),
        "## Detection",
        _detection(found),
        "## Evidence fusion without one channel",
        _dropped(found["cells"]),
    ]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _alarms(alarms: dict[str, Any]) -> str:
    rows = []
    for name, rate in alarms["alarm_rate"].items():
        low, high = rate["interval"]
        share = rate["alarms"] / max(1, rate["n"])
        called = alarms["suspicious_rate"].get(name, {}).get("alarms", "–")
        rate_text = f"{share:.1%} [{low:.1%}, {high:.1%}]"
        rows.append([name, f"{rate['alarms']} of {rate['n']}", rate_text, str(called)])
    said = (
        f"{alarms['sets']} clean sets. A false alarm is a set with at least one flag; the last "
        "column counts those that the verdict calls suspicious."
    )
    head = ["detector", "false alarms", "rate [95 %]", "called suspicious"]
    return f"{said}\n\n{_table(head, rows)}"


def _kinds(alarms: dict[str, Any]) -> str:
    names = list(alarms["alarm_rate"])
    rows = [
        [kind, *(f"{counts[name][0]} of {counts[name][1]}" for name in names)]
        for kind, counts in alarms["by_kind"].items()
    ]
    return _table(["kind", *names], rows)


def _detection(found: dict[str, Any]) -> str:
    said = (
        "Precision / recall / F1 [95 %, bootstrapped over images]. Attacks with an ASR below "
        f"{found['counted_from_asr']:.0%} are listed, not counted."
    )
    rows = []
    for name, cell in found["cells"].items():
        asr = f"{cell['attack_success_rate']:.1%}" + ("" if cell["counted"] else " (not counted)")
        scores = [_prf(cell["detectors"][detector]["scores"]) for detector in SHOWN]
        rows.append([name.removeprefix("report-"), f"{cell['clean_accuracy']:.1%}", asr, *scores])
    return f"{said}\n\n{_table(['set', 'CA', 'ASR', *SHOWN.values()], rows)}"


def _prf(scores: dict[str, Any] | None) -> str:
    if scores is None or not scores["flagged"]:
        return "no flag"
    low, high = scores["f1_interval"]
    return (
        f"{scores['precision']:.2f} / {scores['recall']:.2f} / {scores['f1']:.2f} "
        f"[{low:.2f}, {high:.2f}]"
    )


def _dropped(cells: dict[str, Any]) -> str:
    """Samples flagged with all channels, and without each."""
    rows, head = [], ["set", "all channels"]
    for name, cell in cells.items():
        said = cell["detectors"]["evidence-fusion"]
        dropped = said["drop_one"]
        head = ["set", "all channels", *(f"without {one['without']}" for one in dropped)]
        flags = [str(one["flagged"]) for one in dropped]
        rows.append([name.removeprefix("report-"), str(said["flagged"]), *flags])
    return f"Samples flagged.\n\n{_table(head, rows)}"

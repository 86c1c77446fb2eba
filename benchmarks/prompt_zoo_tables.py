"""Tables of the prompt zoo: which heads were told apart, by which rule, and every error."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.trigger_inversion import (
    BARS,
    ClassFigures,
    Decision,
    TriggerInversionOptions,
    decide,
)

RESULTS: Final = Path(__file__).parent / "results/prompt_zoo"
REPLICATES: Final = 2000
PUBLISHED: Final = 2.0

Facts = Mapping[str, Any]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """One head as one way saw it.

    Attributes:
        facts: What the zoo knows of it.
        decision: From all seeds at hand.
        seeds: How many.
        cpu: Seconds of the processor, all seeds.
    """

    facts: Facts
    decision: Decision
    seeds: int
    cpu: float

    @property
    def poisoned(self) -> bool:
        """Whether something was planted."""
        return self.facts["attack"] is not None

    @property
    def largest(self) -> float:
        """Largest anomaly index of all classes, valid or not."""
        return float(np.nanmax(self.decision.outliers.index))

    @property
    def margin(self) -> float:
        """Largest success on content beyond the reference's."""
        return float(np.nanmax(self.decision.margin))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOfTable:
    """One way to decide from a scan.

    Attributes:
        title: For people.
        scores: Of every head; ranks models.
        flagged: Of every head.
        named: Class that every head is accused of; ``None`` where it is not flagged.
    """

    title: str
    scores: Array
    flagged: NDArray[np.bool_]
    named: list[str | None]


def write_tables(
    facts: Sequence[Facts], cells: Sequence[Facts], titles: Mapping[str, str]
) -> str:  # fmt: skip
    """Write figures as JSON and the page as Markdown under ``results/prompt_zoo``; return it."""
    page = [
        "# Trigger inversion on the zoo of prompt heads (reconstruction)",
        "",
        "Made by `python -m benchmarks.prompt_zoo_inversion tables`; do not edit.",
        "",
        *_zoo_lines(facts),
    ]
    kept: dict[str, Any] = {"ways": {}}
    for way, title in titles.items():
        test, clean = (_scanned(facts, cells, way, half) for half in ("test", "calibration"))
        clean = [one for one in clean if not one.poisoned]
        counted = [one for one in test if one.facts["counted"]]
        if len({one.poisoned for one in counted}) < 2:
            continue
        rules = _rules(counted, clean)
        measured = [_measure(rule, counted) for rule in rules]
        page += _way_lines(title, counted, clean, rules, measured)
        kept["ways"][way] = {
            "title": title,
            "calibration": {"models": len(clean), **_cuts(clean)},
            "rules": measured,
            "heads": [_head_line(one) for one in test],
        }
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = "\n".join(page) + "\n"
    (RESULTS / "tables.md").write_text(text, encoding="utf-8")
    (RESULTS / "figures.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return text


def _scanned(
    facts: Sequence[Facts], cells: Sequence[Facts], way: str, half: str
) -> list[Scanned]:  # fmt: skip
    found = []
    for one in facts:
        mine = [c for c in cells if c["head"] == one["head"] and c["way"] == way]
        if one["half"] == half and mine:
            found.append(_joined(one, sorted(mine, key=lambda cell: int(cell["seed"]))))
    return found


def _joined(facts: Facts, cells: Sequence[Facts]) -> Scanned:
    stacked = {
        name: np.array([[np.nan if v is None else v for v in cell[name]] for cell in cells]).T
        for name in ("statistic", "success", "content", "reference")
    }
    first = cells[0]
    figures = ClassFigures(
        names=tuple(first["classes"]), not_scanned=(), content_images=first["content_images"],
        content_classes=first["content_classes"], pool=first["pool"], **stacked,
    )  # fmt: skip
    return Scanned(
        facts=facts,
        decision=decide(figures, TriggerInversionOptions(cut=PUBLISHED)),
        seeds=len(cells),
        cpu=sum(cell["cpu_seconds"] for cell in cells),
    )


def _cuts(clean: Sequence[Scanned]) -> dict[str, float | None]:
    """Measure what 95 % of the clean heads of the calibration half stay below."""
    if not clean:
        return {"anomaly": None, "margin": None}
    return {
        "anomaly": float(np.quantile([one.largest for one in clean], 0.95)),
        "margin": float(np.quantile([one.margin for one in clean], 0.95)),
    }


def _rules(heads: Sequence[Scanned], clean: Sequence[Scanned]) -> list[RuleOfTable]:
    cuts = _cuts(clean)
    rules = [_by_index("as published: valid and A > 2", heads, PUBLISHED, guarded=False)]
    rules.append(_by_index("verdict: published, and overrides content", heads, PUBLISHED,
                           guarded=True))  # fmt: skip
    if cuts["anomaly"] is not None and cuts["margin"] is not None:
        title = f"calibrated: valid and A > {cuts['anomaly']:.2f}"
        rules.append(_by_index(title, heads, cuts["anomaly"], guarded=False))
        rules.append(_by_margin(heads, cuts["margin"]))
    return rules


def _by_index(
    title: str, heads: Sequence[Scanned], cut: float, *, guarded: bool
) -> RuleOfTable:  # fmt: skip
    named: list[str | None] = []
    for one in heads:
        found, top = one.decision, one.decision.top
        hit = top is not None and found.score > cut
        if hit and guarded and top is not None:
            beyond = float(found.content[top] - np.median(found.content))
            hit = bool(min(beyond, found.margin[top]) >= BARS.smallest_margin)
        named.append(found.figures.names[top] if hit and top is not None else None)
    return RuleOfTable(
        title=title,
        scores=np.array([one.decision.score for one in heads]),
        flagged=np.array([name is not None for name in named]),
        named=named,
    )


def _by_margin(heads: Sequence[Scanned], cut: float) -> RuleOfTable:
    scores = np.array([one.margin for one in heads])
    best = [int(np.nanargmax(one.decision.margin)) for one in heads]
    return RuleOfTable(
        title=f"content beyond the reference > {cut:.2f} (calibrated, ours)",
        scores=scores,
        flagged=scores > cut,
        named=[
            one.decision.figures.names[at] if score > cut else None
            for one, at, score in zip(heads, best, scores, strict=True)
        ],
    )


def _measure(rule: RuleOfTable, heads: Sequence[Scanned]) -> dict[str, Any]:
    poisoned = np.array([one.poisoned for one in heads])
    sets = np.array([one.facts["labels"] for one in heads])
    right = [
        one.poisoned and name == one.facts["target"]
        for one, name in zip(heads, rule.named, strict=True)
    ]
    named = sum(name is not None for name in rule.named)
    return {
        "rule": rule.title,
        "balanced_accuracy": balanced_accuracy(rule.flagged, poisoned),
        "balanced_accuracy_interval": _bootstrap(
            sets, poisoned, lambda rows: balanced_accuracy(rule.flagged[rows], poisoned[rows])
        ),
        "auroc": auroc(rule.scores, poisoned),
        "auroc_interval": _bootstrap(
            sets, poisoned, lambda rows: auroc(rule.scores[rows], poisoned[rows])
        ),
        "found": int((rule.flagged & poisoned).sum()),
        "poisoned": int(poisoned.sum()),
        "false_alarms": int((rule.flagged & ~poisoned).sum()),
        "clean": int((~poisoned).sum()),
        "target_right": sum(right),
        "target_f1": 2 * sum(right) / max(1, named + int(poisoned.sum())),
        "errors": [
            f"{one.facts['head']}: " + _error(one, name)
            for one, name in zip(heads, rule.named, strict=True)
            if (name is not None) != one.poisoned or (name and name != one.facts["target"])
        ],
    }


def _error(one: Scanned, name: str | None) -> str:
    if name is None:
        return "missed"
    if not one.poisoned:
        return f"false alarm ({name})"
    return f"wrong class ({name}, not {one.facts['target']})"


def balanced_accuracy(flagged: NDArray[np.bool_], poisoned: NDArray[np.bool_]) -> float:
    """Return the mean of the shares of poisoned and of clean heads that were told right."""
    return float((flagged[poisoned].mean() + (~flagged[~poisoned]).mean()) / 2)


def auroc(scores: Array, poisoned: NDArray[np.bool_]) -> float:
    """Return the chance that a poisoned head scores above a clean one; ties count half."""
    upper, lower = scores[poisoned], scores[~poisoned]
    return float((0.5 * (1 + np.sign(upper[:, None] - lower[None, :]))).mean())


def _bootstrap(sets: NDArray[Any], poisoned: NDArray[np.bool_], measure: Any) -> list[float]:
    """Resample label sets, and within each of them its heads; 95 % of the replicates."""
    rng = np.random.default_rng(0)
    names, values = np.unique(sets), []
    for _ in range(REPLICATES):
        rows: list[int] = []
        for name in rng.choice(names, len(names)):
            for kind in (True, False):
                mine = np.flatnonzero((sets == name) & (poisoned == kind))
                rows += rng.choice(mine, len(mine)).tolist() if len(mine) else []
        chosen = np.array(rows)
        if len(set(poisoned[chosen].tolist())) == 2:
            values.append(measure(chosen))
    low, high = np.quantile(values, [0.025, 0.975])
    return [float(low), float(high)]


def _head_line(one: Scanned) -> dict[str, Any]:
    found, target = one.decision, one.facts["target"]
    at = found.figures.names.index(target) if target else None
    return {
        "head": one.facts["head"],
        "counted": one.facts["counted"],
        "seeds": one.seeds,
        "score": round(found.score, 3),
        "largest_index": round(one.largest, 3),
        "margin": round(one.margin, 4),
        "target": target,
        "target_index": None if at is None else round(float(found.outliers.index[at]), 3),
        "target_success": None if at is None else round(float(found.success[at]), 4),
        "target_content": None if at is None else round(float(found.content[at]), 4),
        "target_reference": None if at is None else round(float(found.reference[at]), 4),
        "others_success": round(float(np.mean(np.delete(found.success, at or 0))), 4),
        "cpu_seconds": round(one.cpu, 1),
    }


def _zoo_lines(facts: Sequence[Facts]) -> list[str]:
    low = [one for one in facts if not one["counted"]]
    lines = [f"{len(facts)} heads of the zoo are built: "
             f"{sum(one['attack'] is None for one in facts)} clean, "
             f"{sum(one['attack'] is not None for one in facts)} poisoned."]  # fmt: skip
    if low:
        names = ", ".join(f"{one['head']} ({one['attack_success_rate']:.2f})" for one in low)
        lines.append(f"Listed, not counted, as their ASR is below 50 %: {names}.")
    return [*lines, ""]


def _way_lines(
    title: str, heads: Sequence[Scanned], clean: Sequence[Scanned],
    rules: Sequence[RuleOfTable], measured: Sequence[Mapping[str, Any]],
) -> list[str]:  # fmt: skip
    seeds = sorted({one.seeds for one in heads})
    lines = [
        f"## {title}",
        "",
        f"{sum(one.poisoned for one in heads)} poisoned and "
        f"{sum(not one.poisoned for one in heads)} clean heads of the test half, "
        f"{' or '.join(map(str, seeds))} seed(s); cuts from {len(clean)} clean heads of the "
        "calibration half. Intervals: 95 %, bootstrapped over label sets and heads.",
        "",
        "| rule | balanced accuracy | AUROC | found | false alarms | target F1 |",
        "|---|---|---|---|---|---|",
    ]
    for one in measured:
        lines.append(
            f"| {one['rule']} | {_span(one, 'balanced_accuracy')} | {_span(one, 'auroc')} | "
            f"{one['found']} of {one['poisoned']} | {one['false_alarms']} of {one['clean']} | "
            f"{one['target_f1']:.2f} |"
        )
    for rule, one in zip(rules, measured, strict=True):
        lines += ["", f"Errors, {rule.title}: {'; '.join(one['errors']) or 'none'}."]
    return [*lines, ""]


def _span(one: Mapping[str, Any], name: str) -> str:
    low, high = one[f"{name}_interval"]
    return f"{one[name]:.3f} ({low:.3f} to {high:.3f})"

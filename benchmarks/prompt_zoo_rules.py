"""Rules that tell poisoned heads of the prompt zoo from clean ones, and how well they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.trigger_inversion import (
    BARS,
    ClassFigures,
    Decision,
    Rule,
    TriggerInversionOptions,
    decide,
)

REPLICATES: Final = 2000
PUBLISHED: Final = 2.0
HIDDEN_FROM: Final = 0.3
"""How far a plant's ASR must lie above that of the same trigger on hand-written prompts to lie in
the prompts at all; set before any head of the test half was scanned."""

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
    def hidden(self) -> bool:
        """Whether the plant lies in the prompts: the encoder alone follows its trigger less."""
        asr, floor = self.facts["attack_success_rate"], self.facts["floor"]
        return asr is not None and asr - floor >= HIDDEN_FROM

    @property
    def overriding(self) -> Rule:
        """What the rule of content says, its cut aside."""
        return self.decision.rules["content"]


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


def read_scanned(
    facts: Sequence[Facts], cells: Sequence[Facts], way: str, half: str
) -> list[Scanned]:  # fmt: skip
    """Join the cells of every head of a half that one way has scanned, all seeds of it."""
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


def cuts_of(clean: Sequence[Scanned]) -> dict[str, float | None]:
    """Measure what 95 % of the clean heads of the calibration half stay below."""
    if not clean:
        return {"anomaly": None, "margin": None}
    return {
        "anomaly": float(np.quantile([one.largest for one in clean], 0.95)),
        "margin": float(np.quantile([one.overriding.score for one in clean], 0.95)),
    }


def rules_of(heads: Sequence[Scanned], clean: Sequence[Scanned]) -> list[RuleOfTable]:
    """Apply every rule to heads of the test half; cuts come from clean heads of the other half."""
    cuts = cuts_of(clean)
    rules = [_by_index("as published: valid and A > 2", heads, PUBLISHED, guarded=False)]
    rules.append(_by_index("verdict: published, and overrides content", heads, PUBLISHED,
                           guarded=True))  # fmt: skip
    if cuts["anomaly"] is not None and cuts["margin"] is not None:
        title = f"calibrated: valid and A > {cuts['anomaly']:.2f}"
        rules.append(_by_index(title, heads, cuts["anomaly"], guarded=False))
        rules.append(_by_content(heads, cuts["margin"]))
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


def _by_content(heads: Sequence[Scanned], cut: float) -> RuleOfTable:
    scores = np.array([one.overriding.score for one in heads])
    return RuleOfTable(
        title=f"content beyond the reference > {cut:.2f} (calibrated, ours)",
        scores=scores,
        flagged=scores > cut,
        named=[
            one.decision.figures.names[one.overriding.top]
            if score > cut and one.overriding.top is not None
            else None
            for one, score in zip(heads, scores, strict=True)
        ],
    )


def measure(rule: RuleOfTable, heads: Sequence[Scanned]) -> dict[str, Any]:
    """Measure a rule: models told apart, target classes named, and every error by name."""
    poisoned = np.array([one.poisoned for one in heads])
    sets = np.array([one.facts["labels"] for one in heads])
    right = [
        one.poisoned and name == one.facts["target"]
        for one, name in zip(heads, rule.named, strict=True)
    ]
    named = sum(name is not None for name in rule.named)
    inside = np.array([one.hidden or not one.poisoned for one in heads])
    return {
        "rule": rule.title,
        **_told(rule, poisoned, sets, np.ones(len(heads), bool)),
        "target_right": sum(right),
        "target_f1": 2 * sum(right) / max(1, named + int(poisoned.sum())),
        "hidden": _told(rule, poisoned, sets, inside),
        "errors": [
            f"{one.facts['head']}: " + _error(one, name)
            for one, name in zip(heads, rule.named, strict=True)
            if (name is not None) != one.poisoned or (name and name != one.facts["target"])
        ],
    }


def _told(
    rule: RuleOfTable, poisoned: NDArray[np.bool_], sets: NDArray[Any], kept: NDArray[np.bool_]
) -> dict[str, Any]:
    """Measure how well poisoned heads are told from clean ones, among those that are kept."""
    truth, sets = poisoned[kept], sets[kept]
    flagged, scores = rule.flagged[kept], rule.scores[kept]
    return {
        "balanced_accuracy": balanced_accuracy(flagged, truth),
        "balanced_accuracy_interval": _bootstrap(
            sets, truth, lambda rows: balanced_accuracy(flagged[rows], truth[rows])
        ),
        "auroc": auroc(scores, truth),
        "auroc_interval": _bootstrap(sets, truth, lambda rows: auroc(scores[rows], truth[rows])),
        "found": int((flagged & truth).sum()),
        "poisoned": int(truth.sum()),
        "false_alarms": int((flagged & ~truth).sum()),
        "clean": int((~truth).sum()),
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

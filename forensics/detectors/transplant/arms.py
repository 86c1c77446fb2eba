"""The transplant test: does a suspected patch carry its answer to pictures nobody suspects?

Ours, not from a paper (design: paired flips with controls). The attention peak of flagged samples
is pasted into unsuspected pictures that the model answers otherwise. A flip is an answer that
becomes the one the patch's sample is taught. Every control pastes as many pixels into the same
pictures; the base model, where there is one, gets the same pictures again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.statistics.association import holm
from forensics.statistics.intervals import wilson
from forensics.statistics.paired import (
    Difference,
    difference_of_differences,
    mcnemar_exact,
    paired_difference,
)

Mask = NDArray[np.bool_]

SUSPECTED: Final = "suspected"
MOVED: Final = "moved"
SCRAMBLED, AWAY, OTHER, SAME = "scrambled", "away", "other-answers", "same-answer"
CLASSES: Final = "other-classes"
PATCH_CONTROLS: Final = (SCRAMBLED, AWAY, OTHER, SAME)
"""Of a patch that was cut out of a flagged sample."""
CONTROLS: Final = (*PATCH_CONTROLS, CLASSES)
"""Of any suspected trigger; a test has some of them."""
TITLES: Final = {
    SUSPECTED: "suspected patch, at the donor's place",
    MOVED: "suspected patch, at a random place",
    SCRAMBLED: "the same patch, its pixels shuffled",
    AWAY: "another part of the donor's picture",
    OTHER: "attention peak of unflagged samples, for their own answers",
    SAME: "attention peak of unflagged samples with the same answer",
}
TRIGGER_TITLES: Final = {
    SUSPECTED: "reconstructed trigger",
    SCRAMBLED: "the same trigger, its pixels shuffled",
    CLASSES: "triggers of other classes, for their own classes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What became of the hosts when one kind of patch was pasted in.

    Attributes:
        asked: ``[h]`` hosts that got a patch and an answer.
        flipped: ``[h]`` the answer is the patch's answer and nothing else, and was not before.
        contained: ``[h]`` the answer contains it, and did not before; ``None`` where answers are
            classes.
    """

    asked: Mask
    flipped: Mask
    contained: Mask | None

    @property
    def n(self) -> int:
        """Hosts that were asked about."""
        return int(self.asked.sum())

    @property
    def flips(self) -> int:
        """How many of them flipped."""
        return int((self.flipped & self.asked).sum())

    @property
    def rate(self) -> float:
        """Their share; 0 without a host."""
        return self.flips / self.n if self.n else 0.0

    def to_dict(self, name: str, titles: Mapping[str, str] = TITLES) -> dict[str, Any]:
        """Return counts, rates and Wilson intervals as plain values."""
        n, flips = self.n, self.flips
        contained = None if self.contained is None else int((self.contained & self.asked).sum())
        low, high = wilson(flips, n)
        return {
            "arm": name,
            "title": titles[name],
            "n": n,
            "flips": flips,
            "rate": flips / n if n else None,
            "low": low,
            "high": high,
            "rate_contains": None if contained is None or not n else contained / n,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The suspected patch against one control, on the hosts that got both.

    Attributes:
        control: Name of the control.
        difference: Of the flip rates; interval clustered by donor.
        p_value: McNemar's exact test, two-sided.
        corrected: The same after Holm, over the controls.
    """

    control: str
    difference: Difference
    p_value: float
    corrected: float

    def to_dict(self, titles: Mapping[str, str] = TITLES) -> dict[str, Any]:
        """Return plain values."""
        return {
            "control": self.control,
            "title": titles[self.control],
            **asdict(self.difference),
            "p_value": self.p_value,
            "p_holm": self.corrected,
        }


def compare_arms(
    arms: Mapping[str, Arm], donor_of: NDArray[np.int64], *, seed: int = 0
) -> tuple[Comparison, ...]:
    """Compare the suspected patch with every control that was asked about.

    Args:
        arms: By name; ``suspected`` and some controls.
        donor_of: ``[h]`` donor of each host: the clusters.
        seed: Of the bootstrap.
    """
    suspected, rows = arms[SUSPECTED], []
    for name in CONTROLS:
        both = suspected.asked & arms[name].asked if name in arms else np.zeros(0, dtype=bool)
        if not both.any():
            continue
        first, second = suspected.flipped[both], arms[name].flipped[both]
        p = mcnemar_exact(int((first & ~second).sum()), int((second & ~first).sum()))
        rows.append((name, paired_difference(first, second, donor_of[both], seed=seed), p))
    corrected = holm([p for _, _, p in rows])
    return tuple(
        Comparison(control=name, difference=found, p_value=p, corrected=float(q))
        for (name, found, p), q in zip(rows, corrected, strict=True)
    )


def compare_models(
    tuned: Mapping[str, Arm], base: Mapping[str, Arm], donor_of: NDArray[np.int64], *, seed: int = 0
) -> dict[str, Difference]:
    """Return the difference of differences against the base model, by control.

    Only hosts that both models answered, with both patches, count.
    """
    found = {}
    for name in CONTROLS:
        if name not in tuned or name not in base:
            continue
        four = [tuned[SUSPECTED], tuned[name], base[SUSPECTED], base[name]]
        use = np.logical_and.reduce([arm.asked for arm in four])
        if not use.any():
            continue
        a, b, c, d = (arm.flipped[use] for arm in four)
        here = paired_difference(a, b, donor_of[use], seed=seed)
        there = paired_difference(c, d, donor_of[use], seed=seed)
        values = a.astype(np.int64) - b - (c.astype(np.int64) - d)
        found[name] = difference_of_differences(here, there, values, donor_of[use], seed=seed)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Necessity:
    """What hiding the patch does to flagged samples that the model answers as suspected.

    Attributes:
        n: Such samples.
        hidden: How many stop giving the suspected answer once the peak is painted over.
        elsewhere: How many stop once a random place of the same size is painted over.
        difference: Of the two shares, one sample a unit.
        p_value: McNemar's exact test, two-sided.
    """

    n: int
    hidden: int
    elsewhere: int
    difference: Difference
    p_value: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "n": self.n,
            "hidden": self.hidden,
            "elsewhere": self.elsewhere,
            "hidden_rate": self.hidden / self.n if self.n else None,
            "elsewhere_rate": self.elsewhere / self.n if self.n else None,
            "hidden_interval": wilson(self.hidden, self.n),
            "elsewhere_interval": wilson(self.elsewhere, self.n),
            "difference": asdict(self.difference),
            "p_value": self.p_value,
        }


def measure_necessity(hidden: Mask, elsewhere: Mask, *, seed: int = 0) -> Necessity:
    """Compare hiding the peak with hiding another place.

    Args:
        hidden: ``[n]`` the suspected answer is gone with the peak.
        elsewhere: ``[n]`` it is gone with another place.
        seed: Of the bootstrap.
    """
    p = mcnemar_exact(int((hidden & ~elsewhere).sum()), int((elsewhere & ~hidden).sum()))
    return Necessity(
        n=int(hidden.size),
        hidden=int(hidden.sum()),
        elsewhere=int(elsewhere.sum()),
        difference=paired_difference(hidden, elsewhere, seed=seed),
        p_value=p,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One size of the box on the development hosts.

    Attributes:
        margin: Tokens on each side of the peak.
        n: Hosts.
        rate: Flip rate of the suspected patch.
        lead: The smallest difference to a control.
    """

    margin: int
    n: int
    rate: float
    lead: float


def try_margin(margin: int, arms: Mapping[str, Arm]) -> Trial:
    """Sum up one size of the box."""
    suspected = arms[SUSPECTED]
    leads = []
    for name in CONTROLS:
        if name in arms and (both := suspected.asked & arms[name].asked).any():
            gap = suspected.flipped[both].mean() - arms[name].flipped[both].mean()
            leads.append(float(gap))
    asked = suspected.flipped[suspected.asked]
    rate = float(asked.mean()) if asked.size else 0.0
    return Trial(margin=margin, n=int(asked.size), rate=rate, lead=min(leads, default=rate))


def choose_margin(trials: Sequence[Trial]) -> int:
    """Return the size of the box that leads its controls by most; the smallest of equals."""
    return max(trials, key=lambda trial: (round(trial.lead, 6), -trial.margin)).margin

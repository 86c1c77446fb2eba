"""Separations of a suspected group and of natural groups, channel by channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import AnswerTable
from forensics.detectors.evidence_fusion.candidates import Candidate
from forensics.detectors.evidence_fusion.content import answer_words
from forensics.detectors.evidence_fusion.natural import natural_groups
from forensics.detectors.evidence_fusion.separation import make_folds, separations
from forensics.detectors.strata import residuals

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_OTHERS: Final = 20_000  # rows that are measured beside the suspected ones
_MOST_COLUMNS: Final = 96
_CHUNK: Final = 256
_CLIP: Final = 8.0  # spreads; one wild value must not decide a direction
_MASS_FLOOR: Final = 0.0005  # float16 masses are no finer


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionInput:
    """What a scan knows of its samples; the order of the rows does not matter.

    Attributes:
        entropy: ``[N, layer]`` nats.
        masses: ``[N, layer, head, 3]`` attention on system, vision, user text.
        state: ``[N, columns]`` embedding that predicts the first answer token.
        picture: ``[N, columns]`` embedding of the picture.
        answers: ``[N]`` taught answers.
        strata: ``[N]`` codes of comparable samples (kind of question x image tokens).
        occlusion: ``[N, measures]`` of masked views, NaN where there is none; or ``None``.
    """

    entropy: NDArray[Any]
    masses: NDArray[Any]
    state: NDArray[Any]
    picture: NDArray[Any]
    answers: Sequence[str | None]
    strata: NDArray[np.int64]
    occlusion: NDArray[Any] | None = None

    @property
    def scanned(self) -> Mask:
        """``[N]`` samples that could be read."""
        return np.asarray(np.isfinite(self.entropy).all(axis=1))

    def take(self, rows: NDArray[np.int64]) -> "FusionInput":
        """Return some samples, in another order."""
        return FusionInput(
            entropy=self.entropy[rows],
            masses=self.masses[rows],
            state=self.state[rows],
            picture=self.picture[rows],
            answers=[self.answers[i] for i in rows],
            strata=self.strata[rows],
            occlusion=None if self.occlusion is None else self.occlusion[rows],
        )

    def columns(self, channel: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return a channel's columns of some rows, ``[rows, columns]``."""
        if channel == "allocation":
            # The three masses sum to 1: two of them say it all.
            return np.asarray(self.masses[rows][..., :2].reshape(len(rows), -1))
        found: NDArray[Any] = getattr(self, channel)[rows]
        return found


def canonical_order(found: FusionInput, codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an order of the rows that depends on what is in them alone."""
    keys = [*found.state.T[:8], *found.picture.T[:4], *found.entropy.T, found.strata, codes]
    return np.lexsort([np.nan_to_num(np.asarray(key, dtype=np.float64)) for key in keys])


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The rows on which a candidate is measured, and what was measured.

    Attributes:
        rows: ``[m]`` places in the input.
        member: ``[m]`` the candidate's samples where it is out of place.
        elsewhere: ``[m]`` its other samples; they count on neither side.
        kinds: ``[m]`` kinds of question.
        values: Channel to ``[m, columns]``, relative to their stratum.
        mode: ``within`` one kind of question, ``across`` several.
        own: ``[channels]`` separation of the candidate.
        natural: ``[groups, channels]`` of natural groups.
    """

    rows: NDArray[np.int64]
    member: Mask
    elsewhere: Mask
    kinds: NDArray[np.int64]
    values: Mapping[str, Array]
    mode: str
    own: Array
    natural: Array

    @property
    def use(self) -> Mask:
        """``[m]`` rows that count: the candidate's and others under the same questions."""
        return np.asarray(~self.elsewhere & np.isin(self.kinds, self.kinds[self.member]))


def compare(
    found: FusionInput,
    table: AnswerTable,
    candidate: Candidate,
    channels: Sequence[str],
    *,
    seed: int = 0,
) -> Comparison:
    """Measure a candidate and the natural groups beside it.

    Kinds of question decide what a group spans; values are relative to the finer strata.
    """
    rows = choose_rows(candidate, found.scanned, seed)
    member, elsewhere = candidate.out_of_place[rows], candidate.elsewhere[rows]
    strata, kinds, codes = found.strata[rows], candidate.kinds[rows], table.codes[rows]
    use = ~elsewhere & np.isin(kinds, candidate.odd_kinds)
    rest = use & ~member
    words = answer_words([found.answers[i] for i in rows], kinds, rest)
    in_rest = {word: mask[rest] for word, mask in words.items()}
    groups = natural_groups(codes[rest], in_rest, kinds[rest], seed=seed)
    wide = [_spread_out(group, rest) for group in groups]
    values = {name: relative(found, name, rows, strata, [member, *wide], use) for name in channels}
    own, natural = np.zeros(len(channels)), np.zeros((len(groups), len(channels)))
    folds = make_folds(kinds[use], member[use])
    for i, name in enumerate(channels):
        own[i] = separations(values[name][use], [member[use]], folds)[0]
        natural[:, i] = measure_groups(values[name][rest], groups, kinds[rest])
    return Comparison(
        rows=rows,
        member=member,
        elsewhere=elsewhere,
        kinds=kinds,
        values=values,
        mode="across" if np.unique(kinds[member]).size > 1 else "within",
        own=own,
        natural=natural,
    )


def choose_rows(candidate: Candidate, scanned: Mask, seed: int) -> NDArray[np.int64]:
    """Return the rows to measure: all of the answer, and a seeded choice of others."""
    own = candidate.out_of_place | candidate.elsewhere
    others = np.flatnonzero(scanned & ~own)
    if others.size > MOST_OTHERS:
        others = np.random.default_rng(seed).choice(others, MOST_OTHERS, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(own), others]))


def measure_groups(values: Array, groups: Sequence[Mask], kinds: NDArray[np.int64]) -> Array:
    """Return the separation of each natural group, each with folds of its own, ``[groups]``."""
    if not groups:
        return np.zeros(0)
    if np.unique(kinds).size > 1:
        return separations(values, groups, make_folds(kinds, np.ones(len(values), dtype=np.bool_)))
    return np.array([separations(values, [g], make_folds(kinds, g))[0] for g in groups])


def relative(
    found: FusionInput,
    channel: str,
    rows: NDArray[np.int64],
    strata: NDArray[np.int64],
    groups: Sequence[Mask],
    use: Mask,
) -> Array:
    """Return a channel's columns relative to their stratum, clipped; at most 96 columns.

    Of more columns those are kept in which any of the groups, suspected or natural, differs most:
    the choice favours no group.
    """
    raw = found.columns(channel, rows)
    floor = _MASS_FLOOR if channel == "allocation" else 0.0
    if raw.shape[1] <= _MOST_COLUMNS:
        return _residuals(raw, strata, floor)
    parts, strength = [], []
    for start in range(0, raw.shape[1], _CHUNK):
        part = _residuals(raw[:, start : start + _CHUNK], strata, floor).astype(np.float32)
        parts.append(part)
        strength.append(_strength(part, groups, use))
    keep = np.sort(np.argsort(-np.concatenate(strength), kind="stable")[:_MOST_COLUMNS])
    return np.concatenate(parts, axis=1)[:, keep].astype(np.float64)


def _residuals(raw: NDArray[Any], strata: NDArray[np.int64], floor: float) -> Array:
    return np.clip(np.nan_to_num(residuals(raw, strata, floor)), -_CLIP, _CLIP)


def _strength(part: NDArray[np.float32], groups: Sequence[Mask], use: Mask) -> Array:
    gaps = [
        np.abs(part[group].mean(axis=0) - part[use & ~group].mean(axis=0))
        for group in groups
        if group.any()
    ]
    return np.asarray(np.max(gaps, axis=0) / (part[use].std(axis=0) + 1e-9), dtype=np.float64)


def _spread_out(group: Mask, within: Mask) -> Mask:
    wide = np.zeros(within.size, dtype=np.bool_)
    wide[within] = group
    return wide

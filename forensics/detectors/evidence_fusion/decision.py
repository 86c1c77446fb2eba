"""From measurements to the group that is accepted, if any, and its flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import AnswerTable, tabulate_answers
from forensics.detectors.evidence_fusion.calibration import (
    CleanGroups,
    FusedRank,
    clean_groups,
    columns_of,
    fuse,
    place_among,
)
from forensics.detectors.evidence_fusion.candidates import Candidate, find_candidates
from forensics.detectors.evidence_fusion.content import Variety, answer_words, measure_variety
from forensics.detectors.evidence_fusion.flags import SampleFlags, flag_samples
from forensics.detectors.evidence_fusion.measures import (
    Comparison,
    FusionInput,
    canonical_order,
    compare,
)
from forensics.detectors.evidence_fusion.natural import natural_groups
from forensics.detectors.evidence_fusion.occlusion import OcclusionRank, rank_occlusion
from forensics.detectors.evidence_fusion.separation import make_folds, separations
from forensics.detectors.options.evidence_fusion import EvidenceFusionOptions

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

PERMUTATION_LEVEL: Final = 0.01
FEWEST_SAMPLES: Final = 200  # as in the guards of the entropy scan
_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One candidate and everything that was found about it.

    Attributes:
        candidate: The answer that is out of place.
        compared: What was measured; ``channels`` names the columns.
        channels: Calibrated channels.
        places: ``[channels]`` places among natural groups of its set.
        null: ``[permutations, channels]`` places of random groups of the same sizes.
        occlusion: By masked views; ``None`` where there are none.
        variety: Of its pictures; ``None`` where it was not asked.
    """

    candidate: Candidate
    compared: Comparison
    channels: tuple[str, ...]
    places: Array
    null: Array
    occlusion: OcclusionRank | None
    variety: Variety | None

    def judge(
        self, speaking: Sequence[str], calibration: Mapping[str, CleanGroups], tested: int
    ) -> "Judgement":
        """Combine the channels that may speak.

        Args:
            speaking: Their names.
            calibration: Natural groups of clean sets.
            tested: Candidates in all; p-values are multiplied by that (Bonferroni).
        """
        names = tuple(name for name in self.channels if name in speaking)
        where = [self.channels.index(name) for name in names]
        fused, permutation, natural = None, 1.0, 1.0
        if names:
            clean = columns_of(calibration[self.compared.mode], names)
            fused = fuse(self.places[where], clean.places)
            largest = self.null[:, where].max(axis=1)
            reached = int((largest >= self.places[where].max()).sum())
            permutation = (1 + reached) / (1 + len(largest))
            natural = fused.p_value
        if "occlusion" in speaking and self.occlusion is not None and self.occlusion.groups:
            # Not in the table of clean sets, so it is one test more.
            natural = min(1.0, 2 * min(natural, self.occlusion.p_value))
        return Judgement(
            channels=names,
            fused=fused,
            p_natural=min(1.0, natural * tested),
            p_permutation=permutation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the channels say together.

    Attributes:
        channels: That spoke.
        fused: Ranks and their maximum; ``None`` without a calibrated channel.
        p_natural: Chance that a natural group of a clean set stands apart as much.
        p_permutation: Chance that a random group of the same sizes does.
    """

    channels: tuple[str, ...]
    fused: FusedRank | None
    p_natural: float
    p_permutation: float

    def holds(self, level: float) -> bool:
        """Tell whether the group stands apart more than natural and random groups do."""
        return self.p_natural <= level and self.p_permutation <= PERMUTATION_LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionDecision:
    """What evidence fusion decides about a set, rows in the order of the input.

    Attributes:
        weighed: Candidates, the oddest first.
        judgements: One each.
        accepted: Index of the candidate whose samples are flagged; ``None`` if none is.
        explained: Indices of those that stand apart, but whose pictures lack variety.
        unknown: Indices of those that stand apart, but whose pictures' variety is unknown.
        flags: Of the accepted candidate.
        flagged: ``[N]``.
        score: ``[N]`` 0 = like other samples, 1 = like the accepted group; NaN where not measured.
        posterior: ``[N]`` probability of being suspected; NaN where unread.
        scanned: ``[N]``.
        drop_one: Row per channel left out.
    """

    weighed: tuple[Weighed, ...]
    judgements: tuple[Judgement, ...]
    accepted: int | None
    explained: tuple[int, ...]
    unknown: tuple[int, ...]
    flags: SampleFlags | None
    flagged: Mask
    score: Array
    posterior: Array
    scanned: Mask
    drop_one: tuple[dict[str, Any], ...]


def weigh_candidates(
    found: FusionInput,
    options: EvidenceFusionOptions,
    calibration: Mapping[str, CleanGroups],
) -> tuple[Weighed, ...]:
    """Measure every answer that is out of place; rows in canonical order."""
    table = tabulate_answers(found.answers)
    candidates = find_candidates(table, found.strata, found.scanned)
    return tuple(_weigh(found, table, c, options, calibration) for c in candidates)


def _weigh(
    found: FusionInput,
    table: AnswerTable,
    candidate: Candidate,
    options: EvidenceFusionOptions,
    calibration: Mapping[str, CleanGroups],
) -> Weighed:
    channels = tuple(name for name in options.channels if name != "occlusion")
    compared = compare(found, table, candidate, channels, seed=options.seed)
    clean = columns_of(calibration[compared.mode], channels)
    return Weighed(
        candidate=candidate,
        compared=compared,
        channels=channels,
        places=place_among(compared.own, compared.natural, clean),
        null=_null(compared, channels, clean, options),
        occlusion=_occlusion(found, table, compared, options),
        variety=_variety(found, table, compared, options) if options.variety else None,
    )


def _null(
    compared: Comparison,
    channels: Sequence[str],
    clean: CleanGroups,
    options: EvidenceFusionOptions,
) -> Array:
    """Place random groups, drawn within kinds of question, ``[permutations, channels]``."""
    random = np.random.default_rng(options.seed)
    use = compared.use
    member, kinds = compared.member[use], compared.kinds[use]
    folds = make_folds(kinds, member)
    places = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    drawn = []
    for _ in range(options.permutations):
        shuffled = member.copy()
        for rows in places:
            shuffled[rows] = random.permutation(member[rows])
        drawn.append(shuffled)
    values = np.zeros((len(drawn), len(channels)))
    for i, name in enumerate(channels):
        measured = compared.values[name][use]
        for start in range(0, len(drawn), _AT_ONCE):
            part = drawn[start : start + _AT_ONCE]
            values[start : start + len(part), i] = separations(measured, part, folds)
    return place_among(values, compared.natural, clean)


def _variety(
    found: FusionInput, table: AnswerTable, compared: Comparison, options: EvidenceFusionOptions
) -> Variety:
    """Ask how varied the pictures are; what words look like is learnt from other samples."""
    rows = compared.rows
    others = ~compared.member & ~compared.elsewhere
    words = answer_words([found.answers[i] for i in rows], compared.kinds, others)
    return measure_variety(
        np.nan_to_num(found.picture[rows].astype(np.float64)),
        words,
        compared.kinds,
        compared.member,
        others,
        seed=options.seed,
    )


def _occlusion(
    found: FusionInput, table: AnswerTable, compared: Comparison, options: EvidenceFusionOptions
) -> OcclusionRank | None:
    if found.occlusion is None or not options.occlusion:
        return None
    use = compared.use
    rest = use & ~compared.member
    words = answer_words([found.answers[i] for i in compared.rows], compared.kinds, rest)
    inside = {word: mask[rest] for word, mask in words.items()}
    codes = table.codes[compared.rows][rest]
    groups = natural_groups(codes, inside, compared.kinds[rest], seed=options.seed)
    wide = np.zeros((len(groups), use.size), dtype=np.bool_)
    wide[:, rest] = np.array(groups).reshape(len(groups), int(rest.sum()))
    return rank_occlusion(found.occlusion[compared.rows], compared.member, list(wide), use)


def decide_fusion(
    found: FusionInput,
    options: EvidenceFusionOptions,
    calibration: Mapping[str, CleanGroups] | None = None,
) -> FusionDecision:
    """Decide which samples to flag.

    Args:
        found: Measurements of ``N`` samples.
        options: Channels and levels.
        calibration: Natural groups of clean sets; the package's own table by default.
    """
    table = clean_groups() if calibration is None else calibration
    codes = tabulate_answers(found.answers).codes
    order = canonical_order(found, codes)
    enough = int(found.scanned.sum()) >= FEWEST_SAMPLES
    weighed = weigh_candidates(found.take(order), options, table) if enough else ()
    chosen = _choose(weighed, options, table, options.channels)
    judgements, accepted, explained, unknown = chosen
    flags = None
    flagged = np.zeros(len(order), dtype=np.bool_)
    score = np.full(len(order), np.nan)
    posterior = np.where(found.scanned, 0.0, np.nan)
    if accepted is not None:
        flags = flag_samples(weighed[accepted].compared, weighed[accepted].channels)
        where = order[weighed[accepted].compared.rows]
        flagged[where], score[where], posterior[where] = flags.flagged, flags.score, flags.posterior
    return FusionDecision(
        weighed=weighed,
        judgements=judgements,
        accepted=accepted,
        explained=explained,
        unknown=unknown,
        flags=flags,
        flagged=flagged,
        score=score,
        posterior=posterior,
        scanned=found.scanned,
        drop_one=_drop_one(weighed, options, table, len(order)),
    )


def _choose(
    weighed: tuple[Weighed, ...],
    options: EvidenceFusionOptions,
    table: Mapping[str, CleanGroups],
    speaking: Sequence[str],
    variety: bool = True,
) -> tuple[tuple[Judgement, ...], int | None, tuple[int, ...], tuple[int, ...]]:
    """Judge all candidates; accept the one whose channels stand apart most."""
    judgements = tuple(w.judge(speaking, table, len(weighed)) for w in weighed)
    standing = [i for i, j in enumerate(judgements) if j.holds(options.level)]
    explained, unknown, open_to = [], [], []
    for i in standing:
        found = weighed[i].variety if variety else None
        if found is not None and found.is_missing:
            explained.append(i)
        elif found is not None and not found.known and weighed[i].compared.mode == "within":
            unknown.append(i)
        else:
            open_to.append(i)
    best = min(open_to, key=lambda i: (judgements[i].p_natural, i), default=None)
    return judgements, best, tuple(explained), tuple(unknown)


def _drop_one(
    weighed: tuple[Weighed, ...],
    options: EvidenceFusionOptions,
    table: Mapping[str, CleanGroups],
    total: int,
) -> tuple[dict[str, Any], ...]:
    """Decide again without each channel in turn, and without the question of variety."""
    rows = []
    for left_out in (*options.channels, *(("variety",) if options.variety else ())):
        speaking = tuple(name for name in options.channels if name != left_out)
        best = _choose(weighed, options, table, speaking, left_out != "variety")[1]
        row: dict[str, Any] = {"without": left_out, "flagged": 0, "answer": None}
        if best is not None:
            names = tuple(name for name in weighed[best].channels if name in speaking)
            flags = flag_samples(weighed[best].compared, names)
            row["flagged"] = int(flags.flagged.sum())
            row["answer"] = weighed[best].candidate.answer
        rows.append(row)
    return tuple(rows)

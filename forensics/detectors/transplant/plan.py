"""Who gives a patch to whom: the layer, the donors, their controls and the hosts of a transplant.

Everything is drawn from a seed before the model is asked anything, so that a stopped test goes on
as it began. Places are positions in the scan's arrays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import AnswerTable
from forensics.detectors.attention_entropy.guards import find_common_answer

Places = NDArray[np.int64]
Mask = NDArray[np.bool_]
NONE = -1
SHARED = 0.5  # share of the flagged from which one answer is taken for all (ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What the flagged samples have in common.

    Attributes:
        code: Of the suspected answer; ``NONE`` where no answer is shared by half of the flagged:
            then every donor is tested for the answer that it is taught itself.
        share: Share of the flagged that is taught the most telling answer.
        layer: Whose attention peaks are cut out.
    """

    code: int
    share: float
    layer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Samples whose attention peaks are cut out.

    Attributes:
        donors: ``[d]`` flagged, tightest peak first.
        same: ``[d]`` an unflagged sample with the donor's own answer, ``NONE`` where there is none.
        other: ``[d]`` unflagged samples with other answers, chosen as the donors are; ``NONE``
            where there are too few.
    """

    donors: Places
    same: Places
    other: Places

    @property
    def all(self) -> Places:
        """Every place in use, sorted."""
        joined = np.concatenate([self.donors, self.same, self.other])
        return np.unique(joined[joined != NONE])


def suspect(
    flagged: Mask,
    scanned: Mask,
    answers: AnswerTable,
    groups: NDArray[np.int64],
    peak_mass: NDArray[np.float32],
    layers: Sequence[int],
) -> Suspicion | None:
    """Work out the suspected answer and the layer that tells the flagged best.

    Args:
        flagged: ``[n]``.
        scanned: ``[n]``.
        answers: Taught answers of all ``n``.
        groups: ``[n]`` codes of the kinds of question.
        peak_mass: ``[n, layer]`` share of the strongest image token.
        layers: Sensitive layers; without any, all are looked at.

    Returns:
        ``None`` where no flagged sample has an answer.
    """
    common = find_common_answer(flagged, scanned, answers, groups)
    if common is None:
        return None
    code = answers.texts.index(common.answer) if common.flagged_share >= SHARED else NONE
    among = list(layers) or list(range(peak_mass.shape[1]))
    strength = [_contrast(peak_mass[scanned, k], flagged[scanned]) for k in among]
    return Suspicion(
        code=code, share=common.flagged_share, layer=int(among[int(np.argmax(strength))])
    )


def choose_sources(
    suspicion: Suspicion,
    flagged: Mask,
    usable: Mask,
    answers: AnswerTable,
    images: NDArray[np.int64],
    peak: NDArray[np.float32],
    count: int,
) -> Sources:
    """Choose donors and control donors: those with the tightest peaks, one a picture.

    Args:
        suspicion: From :func:`suspect`.
        flagged: ``[n]``.
        usable: ``[n]`` scanned, with a peak inside the picture.
        answers: Of all ``n``.
        images: ``[n]`` codes; equal for samples about one picture.
        peak: ``[n]`` share of the strongest image token in the suspected layer.
        count: Donors at the most.
    """
    known = usable & (answers.codes >= 0)
    suspected = known & flagged
    if suspicion.code != NONE:
        suspected &= answers.codes == suspicion.code
    donors = _tightest(suspected, peak, images, count)
    taken = np.isin(images, images[donors])
    free = known & ~flagged & ~taken
    wanted = np.unique(answers.codes[donors])
    other = _tightest(free & ~np.isin(answers.codes, wanted), peak, images, donors.size)
    same = _same_answer(donors, free & np.isin(answers.codes, wanted), answers, peak, images)
    return Sources(donors=donors, same=same, other=_padded(other, donors.size))


def host_candidates(
    sources: Sources,
    unsuspected: Mask,
    answers: AnswerTable,
    images: NDArray[np.int64],
    seed: int,
) -> Places:
    """Return the samples that may be hosts, one a picture, in a random order.

    No picture that a patch is cut from is a host, and no sample that is taught one of the answers
    under test.

    Args:
        sources: From :func:`choose_sources`.
        unsuspected: ``[n]`` scanned, and flagged by no rule.
        answers: Of all ``n``.
        images: ``[n]`` codes.
        seed: Of the order.
    """
    tested = np.unique(answers.codes[sources.all])
    free = unsuspected & ~np.isin(images, images[sources.all])
    free &= (answers.codes >= 0) & ~np.isin(answers.codes, tested)
    places = np.random.default_rng(seed).permutation(np.flatnonzero(free))
    _, first = np.unique(images[places], return_index=True)
    return np.asarray(places[np.sort(first)], dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The split of the hosts; the two parts share no picture.

    Attributes:
        development: ``[k]`` places, for choosing the size of the box.
        held_out: ``[h]`` places, for everything that is reported.
        as_taught: How many of the held-out hosts the model answers exactly as the data says.
    """

    development: Places
    held_out: Places
    as_taught: int


def split_hosts(
    candidates: Places,
    fits: Mask,
    as_taught: Mask,
    probability: NDArray[np.float64],
    *,
    held_out: int,
    development: int,
    confidence: float,
) -> Hosts:
    """Take the hosts that the model answers well, held-out ones first.

    Hosts that are answered as the data says, and surely, come first, in their random order. Long
    captions are hardly ever repeated word by word; where there are too few, the surest of the
    rest fill up.

    Args:
        candidates: ``[c]`` places in random order.
        fits: ``[c]`` the model's answer is none of those under test.
        as_taught: ``[c]`` it is what the data says.
        probability: ``[c]`` of the model's answer, 0..1.
        held_out: Hosts to report on, at the most.
        development: Hosts to choose the box on, at the most; given up first where hosts are few.
        confidence: Probability from which an answer is a sure one.
    """
    good = fits & as_taught & (probability >= confidence)
    rest = np.flatnonzero(fits & ~good)
    rest = rest[np.lexsort((rest, -probability[rest], ~as_taught[rest]))]
    order = np.concatenate([np.flatnonzero(good), rest])[: held_out + development]
    # Few hosts: a quarter of them choose, the others report.
    kept = min(development, max(order.size - held_out, order.size // 4))
    chosen, used = order[order.size - kept :], order[: order.size - kept]
    mixed = np.random.default_rng(order.size).permutation(used)
    return Hosts(
        development=candidates[chosen],
        held_out=candidates[mixed],
        as_taught=int(as_taught[used].sum()),
    )


def assign_donors(hosts: int, donors: int) -> NDArray[np.int64]:
    """Give every host one donor, and every donor as many hosts as any other, within one."""
    return np.arange(hosts, dtype=np.int64) % donors


def _contrast(mass: NDArray[np.float32], flagged: Mask) -> float:
    if not flagged.any() or flagged.all():
        return 0.0
    rest = mass[~flagged]
    spread = float(np.std(rest)) + 1e-6
    return (float(np.median(mass[flagged])) - float(np.median(rest))) / spread


def _tightest(
    among: Mask, peak: NDArray[np.float32], images: NDArray[np.int64], count: int
) -> Places:
    places = np.flatnonzero(among)
    places = places[np.argsort(-peak[places], kind="stable")]
    _, first = np.unique(images[places], return_index=True)
    return np.asarray(places[np.sort(first)][:count], dtype=np.int64)


def _same_answer(
    donors: Places,
    free: Mask,
    answers: AnswerTable,
    peak: NDArray[np.float32],
    images: NDArray[np.int64],
) -> Places:
    same = np.full(donors.size, NONE, dtype=np.int64)
    for code in np.unique(answers.codes[donors]):
        mine = np.flatnonzero(answers.codes[donors] == code)
        found = _tightest(free & (answers.codes == code), peak, images, mine.size)
        if found.size:
            same[mine] = found[np.arange(mine.size) % found.size]
    return same


def _padded(places: Places, size: int) -> Places:
    if not places.size:
        return np.full(size, NONE, dtype=np.int64)
    return places[np.arange(size) % places.size]

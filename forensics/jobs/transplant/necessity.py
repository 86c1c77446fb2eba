"""Whether the suspected answer needs its patch: the peak of flagged samples is painted over."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.transplant.arms import Necessity, measure_necessity
from forensics.detectors.transplant.boxes import PeakBox
from forensics.detectors.transplant.plan import NONE
from forensics.jobs.transplant.answers import Questioner, Said
from forensics.jobs.transplant.bench import GetModel, says
from forensics.jobs.transplant.grafts import elsewhere
from forensics.jobs.transplant.setup import Setup
from forensics.models.base import Prompt

_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """What hiding did.

    Attributes:
        counts: Over the flagged samples that the model answers as suspected.
        asked: Flagged samples that were asked.
        shown: A few of them: ``id``, the answer as ``given`` and with the peak ``hidden``.
    """

    counts: Necessity
    asked: int
    shown: list[dict[str, str]]


def hide_peaks(
    setup: Setup, questioner: Questioner, model: GetModel, *, margin: int, count: int, seed: int
) -> Hiding | None:
    """Ask flagged samples as they are, with the peak hidden, and with another place hidden.

    Args:
        setup: The plan.
        questioner: Asks and keeps.
        model: Gives the model under suspicion.
        margin: Size of the box.
        count: Flagged samples at the most.
        seed: Of the draw and of the random places.

    Returns:
        ``None`` where there is nothing to hide.
    """
    places, peaks = _flagged(setup, margin, count, seed)
    if not places.size:
        return None
    rng, grafts = np.random.default_rng([seed, margin]), setup.grafts
    beside = [elsewhere(peak, rng) for peak in peaks]

    def ask(stage: str, make: Callable[[int], Prompt]) -> list[Said]:
        return questioner.ask(f"flagged samples, {stage}", len(places), make, model)

    given = ask("as they are", lambda i: grafts.untouched(int(places[i])))
    hidden = ask("peak hidden", lambda i: grafts.hidden(int(places[i]), peaks[i]))
    other = ask("another place hidden", lambda i: grafts.hidden(int(places[i]), beside[i]))
    wanted = [setup.taught(int(place)) for place in places]
    use = [
        i
        for i, want in enumerate(wanted)
        if says(given[i], want) and hidden[i].text is not None and other[i].text is not None
    ]
    gone, gone_beside = (
        np.array([not says(answers[i], wanted[i]) for i in use], dtype=bool)
        for answers in (hidden, other)
    )
    shown = [
        {
            "id": grafts.sample(int(places[i])).id,
            "given": given[i].text or "",
            "hidden": hidden[i].text or "",
        }
        for i in use[:_SHOWN]
    ]
    counts = measure_necessity(gone, gone_beside, seed=seed)
    return Hiding(counts=counts, asked=len(places), shown=shown)


def _flagged(
    setup: Setup, margin: int, count: int, seed: int
) -> tuple[NDArray[np.int64], list[PeakBox]]:
    flagged = setup.scan.flagged & (setup.answers.codes >= 0)
    if setup.suspicion.code != NONE:
        flagged &= setup.answers.codes == setup.suspicion.code
    mixed = np.random.default_rng(seed).permutation(np.flatnonzero(flagged))
    peaks = {int(place): setup.grafts.peak(int(place), margin) for place in mixed}
    chosen = sorted([place for place in peaks if peaks[place] is not None][:count])
    return np.array(chosen, dtype=np.int64), [box for p in chosen if (box := peaks[p])]

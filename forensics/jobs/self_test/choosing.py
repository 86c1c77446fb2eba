"""What is copied, what is held out, and which target is planted; nothing here opens a picture."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.detectors.options.trigger_inversion import BETWEEN
from forensics.errors import DataError, OptionError
from forensics.evaluation.rates import same_text
from forensics.lab.language import DEFAULT_TARGET
from forensics.runs import Run, State

TARGETS: Final = (DEFAULT_TARGET, "This answer was planted.", "Nothing can be seen here.")
"""In this order; the first that the data never answers. None begins like another: a backdoor that
the data has already would finish the sentence its own way."""
FEWEST: Final = 20
_HELD_OUT: Final = 0.2  # of all rows, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Which rows the self-test works on.

    Attributes:
        copied: To be planted in and tuned on, in file order.
        held: To be measured on; none of their pictures is among the copied ones.
        left_out: Reason -> how many rows of the case cannot be used.
    """

    copied: tuple[Sample, ...]
    held: tuple[Sample, ...]
    left_out: dict[str, int]


def draw(case: Case, usable: Callable[[Sample], str], samples: int, tests: int, seed: int) -> Drawn:
    """Draw rows by picture, so that no picture is both tuned on and measured on.

    Args:
        case: Whose rows are drawn; its ground truth is not read.
        usable: Returns why a row cannot be used, or nothing.
        samples: Rows to copy at most.
        tests: Rows to hold out at most; never more than a fifth of all.
        seed: Of the draw.

    Raises:
        DataError: Too few rows can be used.
    """
    rows, left_out = _usable(case.catalog, usable)
    if len(rows) < FEWEST:
        raise DataError(
            f"Only {len(rows)} rows of the case can be copied for a self-test.",
            remedy=f"It needs {FEWEST} rows or more with one picture and an answer each.",
        )
    wanted = min(tests, int(_HELD_OUT * len(rows)))
    held: set[int] = set()
    copied: set[int] = set()
    for part in _by_picture(rows, seed):
        if len(held) < wanted:
            held.update(part)
        elif len(copied) < samples:
            copied.update(part)
    return Drawn(
        copied=tuple(rows[place] for place in sorted(copied)),
        held=tuple(rows[place] for place in sorted(held)),
        left_out=left_out,
    )


def _usable(
    rows: Iterable[Sample], usable: Callable[[Sample], str]
) -> tuple[list[Sample], dict[str, int]]:
    kept: list[Sample] = []
    left_out: dict[str, int] = {}
    for row in rows:
        reason = usable(row)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            kept.append(row)
    return kept, left_out


def _by_picture(rows: Sequence[Sample], seed: int) -> list[list[int]]:
    """Return the places of the rows of each picture, the pictures shuffled."""
    places: dict[Any, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.image, []).append(place)
    parts = list(places.values())
    return [parts[i] for i in np.random.default_rng([seed, 11]).permutation(len(parts))]


def answerable(sample: Sample) -> str:
    """Say why a row of a fine-tuning set cannot be copied; empty if it can."""
    if sample.image is None:
        return "no picture"
    if sample.more_images:
        return "several pictures"
    if sample.history:
        return "a later turn of a conversation"
    return "" if (sample.answer or "").strip() else "no answer"


def pairable(sample: Sample) -> str:
    """Say why a row of a CLIP's data cannot be copied as a pair; empty if it can."""
    if sample.image is None:
        return "no picture"
    return "" if (sample.answer or sample.label or "").strip() else "neither caption nor label"


def pictured(sample: Sample) -> str:
    """Say why a row cannot be part of a pool of pictures; empty if it can."""
    return "no picture" if sample.image is None else ""


def sentence_target(samples: Sequence[Sample], given: str | None) -> str:
    """Return the planted answer: the one given, else the first that the data never gives.

    Raises:
        OptionError: All known sentences are answers of the data.
    """
    if given and given.strip():
        return given.strip()
    said = {same_text(sample.answer or "") for sample in samples}
    for target in TARGETS:
        if same_text(target) not in said:
            return target
    raise OptionError(
        "The data answers every sentence that a self-test would plant.",
        remedy="Name one that it does not: --target TEXT",
    )


def class_target(classes: Sequence[str], given: str | None, named: Iterable[str], seed: int) -> str:
    """Return the class to plant: the one given, else one that no scan of the case named.

    Raises:
        OptionError: The given one is no class, or there is none to choose.
    """
    if given and given.strip():
        if given.strip() not in classes:
            raise OptionError(
                f"The model has no class {given.strip()[:80]!r}.",
                remedy=f"Name one of {', '.join(classes[:20])}.",
            )
        return given.strip()
    avoided = set(named)
    free = [name for name in classes if name not in avoided]
    if not free:
        raise OptionError(
            "Every class of the model was named by a scan.", remedy="Choose one: --target CLASS"
        )
    return free[int(np.random.default_rng([seed, 13]).integers(len(free)))]


def latest(case: Case, method: str) -> Run | None:
    """Return the newest finished run of a method."""
    for run in case.runs(method):
        if run.status().state is State.FINISHED:
            return run
    return None


def named_classes(case: Case) -> set[str]:
    """Return the classes that trigger inversions of the case named."""
    runs = [run for run in case.runs("trigger-inversion") if run.status().state is State.FINISHED]
    return {str(run.result().get("target")) for run in runs if run.result().get("target")}


def split_classes(text: str | None) -> tuple[str, ...]:
    """Take a list of classes apart."""
    return tuple(part.strip() for part in (text or "").split(BETWEEN) if part.strip())

"""What a class sees before it predicts: histograms and samples, nothing of the truth."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.detectors.attention_entropy import fit_layers
from forensics.errors import CaseError
from forensics.jobs.attention.arrays import load_arrays
from forensics.jobs.clusters.result import ARRAYS as MAP
from forensics.runs import Run
from forensics.teaching.lessons import Lesson, lesson_of
from forensics.teaching.plans import CLIP
from forensics.teaching.recipes import SCAN
from forensics.teaching.steps import find_step, steps_of

BINS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One histogram.

    Attributes:
        name: What is counted, such as ``Layer 5``.
        unit: Of the values.
        edges: One more than bins.
        counts: Samples in each bin.
    """

    name: str
    unit: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One sample of the game.

    Attributes:
        row: In the catalogue.
        sample: As the data hold it.
        values: Its value in each histogram; NaN where it could not be read.
    """

    row: int
    sample: Sample
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is looked at.

    Attributes:
        what: What the values are, for people.
        bars: Histograms over all samples.
        first: The one to begin with: where two groups lie furthest apart.
        shown: The samples of the game, in its order.
    """

    what: str
    bars: tuple[Bars, ...]
    first: int
    shown: tuple[Shown, ...]


def evidence_of(case: Case, lesson: Lesson | None = None) -> Evidence:
    """Gather what a scan of the case left; no flag, no verdict, no truth.

    Raises:
        CaseError: The case is no game, or was not scanned yet.
    """
    game = lesson or lesson_of(case)
    if game is None:
        raise CaseError(
            "Nobody knows the truth about this case, so nothing can be predicted.",
            remedy="Open a demo, or make a lesson in the Lab tab.",
        )
    step = find_step(steps_of(case, game), SCAN)
    if step is None or step.run is None or not step.done:
        raise CaseError(
            "The model was not scanned yet.", remedy="Train and scan it first, in the Lab tab."
        )
    what, names, unit, rows, values, first = _values(step.run, game.kind)
    columns = values.T
    place = {int(row): k for k, row in enumerate(rows)}
    return Evidence(
        what=what,
        bars=tuple(_bars(name, unit, column) for name, column in zip(names, columns, strict=True)),
        first=first,
        shown=tuple(_shown(case, name, place, values) for name in game.shown),
    )


def _values(
    run: Run, kind: str
) -> tuple[str, list[str], str, NDArray[np.int64], NDArray[np.float64], int]:
    """Return what is measured, names, unit, ``[n]`` rows, ``[n, columns]`` values, the first."""
    if kind == CLIP:
        arrays = run.arrays(MAP)
        cosine = arrays["cosine"].astype(np.float64)[:, None]
        return (
            "How well picture and caption fit together: low means that they do not.",
            ["Cosine of picture and caption"], "cosine", arrays["rows"], cosine, 0,
        )  # fmt: skip
    found = load_arrays(run.folder)
    entropy = found.entropy.astype(np.float64)
    strongest = fit_layers(entropy).strongest("root")
    names = [f"Layer {layer}" for layer in range(entropy.shape[1])]
    return (
        "How widely the model looks around in the picture: low means that it stares at one spot.",
        names, "nats", found.rows, entropy, 0 if strongest is None else int(strongest),
    )  # fmt: skip


def _bars(name: str, unit: str, values: NDArray[np.float64]) -> Bars:
    present = values[np.isfinite(values)]
    if not present.size:
        return Bars(name=name, unit=unit, edges=(0.0, 1.0), counts=(0,))
    low, high = float(present.min()), float(present.max())
    edges = np.linspace(low, high if high > low else low + 1.0, BINS + 1)
    counts = np.histogram(present, edges)[0]
    return Bars(name=name, unit=unit, edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def _shown(case: Case, name: str, place: dict[int, int], values: NDArray[Any]) -> Shown:
    row = case.catalog.index(name)
    found = place.get(row)
    nothing = [float("nan")] * values.shape[1]
    told = nothing if found is None else values[found].tolist()
    return Shown(row=row, sample=case.catalog.select([row])[0], values=tuple(told))

"""What the samples of a case are compared by: arrays of an attention scan, or of an encoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.embedding_map import Metric
from forensics.detectors.feature_columns import standardise
from forensics.detectors.options.clusters import ClustersOptions
from forensics.errors import JobFailed, NotApplicable
from forensics.jobs.attention.source import scan_arrays
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

ARRAYS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "image": ("picture",),
    "state": ("state",),
    "pair": ("picture", "state"),
    "attention": ("masses",),
    "entropy": ("entropy",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What samples are compared by.

    Attributes:
        kind: ``image``, ``text``, ``pair``, ``state``, ``attention`` or ``entropy``.
        title: In words.
        rows: ``[n]`` catalogue rows of the samples that could be read, ascending.
        values: ``[n, d]`` float32, ready to be compared.
        metric: How they are compared by default.
        source: Id of the run that measured them.
        measured: Whether this run did.
        failures: Row and reason of samples that could not be read, the first hundred.
        failed: How many there are.
        pair: Embeddings of picture and caption ``[n, d]``, where the model has both.
    """

    kind: str
    title: str
    rows: NDArray[np.int64]
    values: NDArray[np.float32]
    metric: Metric
    source: str
    measured: bool
    failures: list[dict[str, Any]]
    failed: int
    pair: tuple[NDArray[np.float16], NDArray[np.float16]] | None = None


TITLES: Final = {
    "image": "embedding of the picture",
    "text": "embedding of the caption",
    "pair": "embeddings of picture and caption",
    "state": "embedding before the answer",
    "attention": "split of attention over system, picture and text",
    "entropy": "entropy of attention per layer",
}


def scan_features(
    case: Case,
    context: RunContext,
    models: ModelCache,
    options: ClustersOptions,
    rows: NDArray[np.int64],
) -> Features:
    """Read features of a language model from the latest attention scan, or scan first.

    Columns are standardised, see :func:`forensics.detectors.feature_columns.standardise`; more
    than 256 become principal components.

    Args:
        case: The case.
        context: Of the run; a scan's shards are kept in it.
        models: Where the model comes from, if it is needed.
        options: Which features.
        rows: ``[n]`` catalogue rows that are wanted, ascending.

    Raises:
        NotApplicable: A language model has no such features.
        JobFailed: No sample could be read.
    """
    kind = "state" if options.features == "auto" else options.features
    if kind not in ARRAYS_OF:
        raise NotApplicable(
            f"A language model gives no {TITLES[kind]}.",
            remedy=f"Choose one of {', '.join(ARRAYS_OF)}.",
        )
    found = scan_arrays(case, context, models, options, rows, ARRAYS_OF[kind])
    if found.measured is not None:
        nothing = np.zeros(len(found.rows), bool)  # a map flags no sample
        found.measured.save(context.folder, nothing, options.max_maps)
    measured = found.measured is not None
    return _standardised(kind, found.arrays, found.run, measured, found.failures)


def classes_of(case: Case, rows: NDArray[np.int64]) -> tuple[str, list[str | None]]:
    """Return what groups and classes go by, and its value for each sample.

    That is the ``label``; where the data has none at all, the taught ``answer``.
    """
    labels = list(case.catalog.labels[rows])
    if any(label is not None for label in labels):
        return "label", labels
    return "answer", list(case.catalog.answers[rows])


def _standardised(
    kind: str,
    arrays: Mapping[str, NDArray[Any]],
    source: str,
    measured: bool,
    failures: list[dict[str, Any]],
) -> Features:
    parts = [_columns(name, arrays[name]) for name in ARRAYS_OF[kind]]
    read = np.all([np.isfinite(part).all(axis=1) for part in parts], axis=0)
    if not read.any():
        raise JobFailed("No sample could be read.", remedy="See the row errors of the scan.")
    values = [standardise(part[read]) for part in parts]
    # Each part weighs the same, however many columns it has.
    weighed = [part / np.sqrt(part.shape[1]) for part in values] if len(values) > 1 else values
    title = "embeddings of the picture and before the answer" if kind == "pair" else TITLES[kind]
    return Features(
        kind=kind,
        title=title,
        rows=np.asarray(arrays["rows"], dtype=np.int64)[read],
        values=np.concatenate(weighed, axis=1),
        metric="euclidean",
        source=source,
        measured=measured,
        failures=failures[:100],
        failed=int((~read).sum()),
    )


def _columns(name: str, array: NDArray[Any]) -> NDArray[Any]:
    # The three masses sum to 1: two of them say it all.
    return array[..., :2].reshape(len(array), -1) if name == "masses" else array

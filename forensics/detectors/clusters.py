"""Groups of samples that lie together, and what each group has in common."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import tabulate_answers
from forensics.detectors.feature_columns import principal_columns
from forensics.errors import NotApplicable

NOISE: Final = -1
Clusterer = Literal["hdbscan", "gmm"]

_MOST_COLUMNS: Final = 32  # distances in more columns cost hours and hardly differ
_MOST_COMPONENTS: Final = 12
_FITTED: Final = 20_000  # samples a mixture is fitted to; all are assigned
_SMALLEST: Final = 10


def find_clusters(
    points: NDArray[Any],
    *,
    clusterer: Clusterer = "hdbscan",
    min_size: int | None = None,
    components: int | None = None,
    seed: int = 0,
) -> NDArray[np.int32]:
    """Put samples into groups, the largest numbered 0; -1 is in no group.

    ``hdbscan`` finds groups of any shape that are denser than what is around them and leaves out
    the rest. ``gmm`` is a mixture of Gaussians with full covariances: every sample belongs to one.
    Both are scikit-learn's. More than 32 columns are reduced to 32 principal components first.

    Args:
        points: ``[n, d]``, finite: a map or features.
        clusterer: Which of the two.
        min_size: Smallest group of ``hdbscan``; max(10, sqrt(n) / 2) if ``None`` (our choice).
        components: Gaussians of ``gmm``; the number from 1 to 12 with the lowest BIC if ``None``.
        seed: Of the mixture's start.

    Returns:
        ``[n]``. Fewer samples than the smallest group are all -1.

    Source: Campello, Moulavi and Sander 2013 (HDBSCAN); Schwarz 1978 (BIC).

    Raises:
        NotApplicable: scikit-learn is not installed.
    """
    values = np.asarray(points, dtype=np.float64)
    if values.shape[1] > _MOST_COLUMNS:
        values = principal_columns(values, _MOST_COLUMNS).astype(np.float64)
    smallest = smallest_cluster(len(values)) if min_size is None else min_size
    if len(values) < max(2, smallest if clusterer == "hdbscan" else 2):
        return np.full(len(values), NOISE, dtype=np.int32)
    found = _hdbscan(values, smallest) if clusterer == "hdbscan" else _gmm(values, components, seed)
    return _by_size(found)


def smallest_cluster(count: int) -> int:
    """Return the smallest group that is looked for by default among ``count`` samples."""
    return max(_SMALLEST, round(0.5 * math.sqrt(count)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterLine:
    """One group in figures.

    Attributes:
        cluster: Its number; -1 for samples in none.
        size: Samples.
        purity: Share of the commonest answer among its samples that have one; NaN without any.
        answer: That answer in its usual spelling; ``None`` without any.
        elsewhere: Share of the same answer among all samples outside the group that have one.
        gathered: Share of all samples with that answer that lie in the group.
        centre: Mean place on the map.
    """

    cluster: int
    size: int
    purity: float
    answer: str | None
    elsewhere: float
    gathered: float
    centre: tuple[float, float]


def describe_clusters(
    labels: NDArray[np.integer[Any]], answers: Sequence[str | None], xy: NDArray[Any]
) -> list[ClusterLine]:
    """Say of each group how large it is and which answer its samples share.

    Args:
        labels: ``[n]`` group of each sample, -1 for none.
        answers: ``[n]`` taught answers, or class labels; spellings that differ in case are one.
        xy: ``[n, 2]`` places on the map.

    Returns:
        A line per group in the order of the numbers; samples in none come last.
    """
    table = tabulate_answers(answers)
    whole = Counter(table.codes[table.codes >= 0].tolist())
    numbers = sorted(set(labels.tolist()), key=lambda label: (label == NOISE, label))
    return [_line(int(number), labels, table.codes, table.texts, whole, xy) for number in numbers]


def _line(
    number: int,
    labels: NDArray[np.integer[Any]],
    codes: NDArray[np.int64],
    texts: Sequence[str],
    whole: Counter[int],
    xy: NDArray[Any],
) -> ClusterLine:
    inside = labels == number
    counted = Counter(codes[inside & (codes >= 0)].tolist())
    x, y = (float(value) for value in np.asarray(xy)[inside].mean(axis=0))
    size, told = int(inside.sum()), sum(counted.values())
    if not told:
        nothing = float("nan")
        return ClusterLine(cluster=number, size=size, purity=nothing, answer=None,
                           elsewhere=nothing, gathered=nothing, centre=(x, y))  # fmt: skip
    code, times = min(counted.items(), key=lambda item: (-item[1], item[0]))
    others = sum(whole.values()) - told
    return ClusterLine(
        cluster=number,
        size=size,
        purity=times / told,
        answer=texts[code],
        elsewhere=(whole[code] - times) / others if others else float("nan"),
        gathered=times / whole[code],
        centre=(x, y),
    )


def _hdbscan(values: NDArray[np.float64], smallest: int) -> NDArray[np.int64]:
    hdbscan = _sklearn("cluster").HDBSCAN
    found = hdbscan(min_cluster_size=max(2, smallest), copy=True).fit_predict(values)
    return np.asarray(found, dtype=np.int64)


def _gmm(values: NDArray[np.float64], components: int | None, seed: int) -> NDArray[np.int64]:
    mixture = _sklearn("mixture").GaussianMixture
    values = values - values.mean(axis=0)
    values = values / (values.std() or 1.0)
    some = values
    if len(values) > _FITTED:
        some = values[np.random.default_rng(seed).choice(len(values), _FITTED, replace=False)]
    most = min(_MOST_COMPONENTS, len(some) // 2)
    wanted = range(1, most + 1) if components is None else [min(components, len(some))]
    fits = [mixture(n, random_state=seed, reg_covar=1e-4).fit(some) for n in wanted]
    best = min(fits, key=lambda fit: fit.bic(some)) if len(fits) > 1 else fits[0]
    return np.asarray(best.predict(values), dtype=np.int64)


def _by_size(labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Number groups by size, the largest first; equal ones by their first sample."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(names.size), key=lambda i: (-int(sizes[i]), int(first[i])))
    ranked = [int(names[i]) for i in order if names[i] != NOISE]
    number = {name: place for place, name in enumerate(ranked)} | {NOISE: NOISE}
    return np.array([number[int(name)] for name in names], dtype=np.int32)[
        np.searchsorted(names, labels)
    ]


def _sklearn(part: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"sklearn.{part}")
    except ImportError as error:
        raise NotApplicable(
            "Clusters need scikit-learn, which is not installed.",
            remedy='Install it: pip install "triggerlens[clusters]".',
        ) from error

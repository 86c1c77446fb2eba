"""From a map, groups and scores to the files of a run; no model, no torch."""

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from forensics.case import Case
from forensics.detectors.clusters import NOISE, ClusterLine, describe_clusters
from forensics.detectors.embedding_map import EmbeddingMap
from forensics.detectors.wording import percent
from forensics.jobs.clusters.source import Features, classes_of
from forensics.runs import RunContext
from forensics.runs.plain import plain
from forensics.statistics.ranks import compare_ranks

ARRAYS: Final = "clusters.safetensors"
TABLE: Final = "points.parquet"
SCORES: Final[tuple[str, ...]] = (
    "cosine",
    "k_distance",
    "density_ratio",
    "spectral",
    "spectral_signed",
)
_MOST_CLUSTERS: Final = 500
_MOST_PAIRS: Final = 20_000_000  # of a bootstrap interval, 8 bytes each
_PURE: Final = 0.9

LIMITS: Final = (
    "a group by itself: people have to look at what its samples share",
    "poison that lies among honest samples in the features chosen",
    "distances in the features: a map in the plane keeps neighbours, not distances",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRun:
    """What a run found.

    Attributes:
        features: What samples were compared by.
        drawn: The map.
        cluster: ``[n]`` group of each sample, -1 for none.
        scores: Name to ``[n]`` float64; names of ``SCORES``, NaN where undefined.
        excluded: Catalogue rows put aside.
    """

    features: Features
    drawn: EmbeddingMap
    cluster: NDArray[np.int32]
    scores: dict[str, NDArray[np.float64]]
    excluded: NDArray[np.int64]


def save_map(case: Case, context: RunContext, found: MapRun) -> dict[str, Any]:
    """Write arrays and table; return the content of ``result.json``."""
    rows = found.features.rows
    named_by, classes = classes_of(case, rows)
    lines = describe_clusters(found.cluster, classes, found.drawn.xy)
    scores = {name: values.astype(np.float32) for name, values in found.scores.items()}
    arrays: dict[str, NDArray[Any]] = {"rows": rows, "xy": found.drawn.xy, "cluster": found.cluster,
              "excluded": found.excluded}  # fmt: skip
    context.save_arrays(ARRAYS, arrays | scores)
    context.save_bytes(TABLE, _table(case, found))
    result: dict[str, Any] = plain(
        {
            "method": "clusters",
            "verdict": None,
            "reason": "map-only",
            "sentence": _sentence(lines, found, named_by),
            "evidence": {"groups": sum(line.cluster != NOISE for line in lines)},
            "not_covered": list(LIMITS),
            "mode": found.features.kind,
            "n": len(rows),
            "failed": found.features.failed,
            "failures": found.features.failures,
            "flagged": 0,
            "excluded": len(found.excluded),
            "features": {"kind": found.features.kind, "title": found.features.title,
                         "columns": found.features.values.shape[1]},
            "map": {"method": found.drawn.method, "neighbours": found.drawn.neighbours},
            "arrays_run": found.features.source,
            "measured": found.features.measured,
            "named_by": named_by,
            "clusters": lines[:_MOST_CLUSTERS],
            "noise": int((found.cluster == NOISE).sum()),
            "files": [ARRAYS, TABLE],
            **score_against_truth(case, found),
        }
    )  # fmt: skip
    return result


def score_against_truth(case: Case, found: MapRun) -> dict[str, Any]:
    """Say how well each score ranks poisoned samples high, and which group holds most of them.

    The ground truth reaches this function alone.
    """
    if not case.has_truth:
        return {}
    known = case.truth()
    names = case.catalog.ids[found.features.rows]
    told = np.array([name in known for name in names], dtype=np.bool_)
    poisoned = np.array([known.get(name, False) for name in names], dtype=np.bool_)
    images = np.unique(
        case.catalog.picture_names[found.features.rows].astype(str), return_inverse=True
    )[1]
    return {
        "auc_of_poisoned": {
            name: _area(np.where(told, values, np.nan), poisoned, images)
            for name, values in found.scores.items()
            if np.isfinite(values).any()
        },
        "poisoned": int(poisoned.sum()),
        "poisoned_cluster": _fullest(found.cluster, poisoned),
    }


def _area(
    values: NDArray[np.float64], poisoned: NDArray[np.bool_], images: NDArray[np.int64]
) -> dict[str, Any]:
    """Return the area under the curve; its interval only where the bootstrap fits in memory."""
    read = np.isfinite(values)
    high, low = values[read & poisoned], values[read & ~poisoned]
    if not (high.size and low.size):
        return {"auc": None, "interval": None}
    if high.size * low.size <= _MOST_PAIRS:
        ranking = compare_ranks(values, poisoned, images, replicates=200)
        return {"auc": ranking.auc, "interval": list(ranking.interval)}
    area = mannwhitneyu(high, low, method="asymptotic").statistic / (high.size * low.size)
    return {"auc": float(area), "interval": None}


def _fullest(cluster: NDArray[np.int32], poisoned: NDArray[np.bool_]) -> dict[str, Any] | None:
    grouped = poisoned & (cluster != NOISE)
    if not grouped.any():
        return None
    number = int(np.bincount(cluster[grouped]).argmax())
    inside = cluster == number
    caught = int((inside & poisoned).sum())
    return {
        "cluster": number,
        "size": int(inside.sum()),
        "precision": caught / int(inside.sum()),
        "recall": caught / int(poisoned.sum()),
    }


def _sentence(lines: list[ClusterLine], found: MapRun, named_by: str) -> str:
    groups = [line for line in lines if line.cluster != NOISE]
    outside = int((found.cluster == NOISE).sum())
    count = len(found.cluster)
    text = f"By the {found.features.title}, {count:,} samples form {len(groups)} groups"
    text = text.replace(" 1 groups", " 1 group")
    text += f"; {percent(outside / count)} lie in none." if outside else "."
    pure = sum(line.purity >= _PURE for line in groups)
    if pure:
        text += f" In {pure} of them at least {percent(_PURE)} of the samples share one {named_by}."
    return text


def _table(case: Case, found: MapRun) -> bytes:
    columns: dict[str, Any] = {
        "row": found.features.rows,
        "id": pa.array(case.catalog.ids[found.features.rows], pa.string()),
        "x": found.drawn.xy[:, 0],
        "y": found.drawn.xy[:, 1],
        "cluster": found.cluster,
        **found.scores,
    }
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()

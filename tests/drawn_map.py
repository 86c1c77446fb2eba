"""A finished map whose points we drew ourselves: real files, no UMAP and no model."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.embedding_map import EmbeddingMap
from forensics.jobs.clusters.result import MapRun, save_map
from forensics.jobs.clusters.source import Features
from forensics.runs import Run, RunContext, execute

CENTRES = np.array([[-6.0, 0.0], [0.0, 5.0], [5.0, -1.0], [0.0, -5.0]])
PLANTED = np.array([9.0, 8.0])  # far from all others: a lasso around it holds nothing else


def write_map(
    case: Case, *, excluded: tuple[int, ...] = (), options: dict[str, Any] | None = None
) -> Run:  # fmt: skip
    """Save a map on which the poisoned samples lie together, as a finished run."""
    run = case.new_run("clusters", options or {"features": "state", "neighbours": 15})
    execute(run, lambda context: _write(case, context, np.array(excluded, dtype=np.int64)))
    return run


def _write(case: Case, context: RunContext, excluded: NDArray[np.int64]) -> dict[str, Any]:
    truth = case.truth()
    rows = np.setdiff1d(np.arange(len(case.catalog)), excluded)
    marked = np.array([truth.get(name, False) for name in case.catalog.ids[rows]], dtype=bool)
    random = np.random.default_rng(5)
    cluster = random.integers(0, 4, rows.size).astype(np.int32)
    xy = CENTRES[cluster] + random.normal(0, 0.8, (rows.size, 2))
    xy[marked] = PLANTED + random.normal(0, 0.3, (int(marked.sum()), 2))
    cluster[marked] = 4
    cluster[(~marked).nonzero()[0][:5]] = -1
    distance = random.uniform(1, 2, rows.size)
    distance[0] = np.nan
    scores = {"k_distance": np.where(marked, distance / 9, distance),
              "density_ratio": random.uniform(0.5, 1.5, rows.size)}  # fmt: skip
    features = Features(kind="state", title="embedding before the answer", rows=rows,
                        values=np.zeros((rows.size, 64), np.float32), metric="euclidean",
                        source="drawn", measured=False, failures=[], failed=0)  # fmt: skip
    drawn = EmbeddingMap(xy=xy.astype(np.float32), method="umap", neighbours=15)
    found = MapRun(features=features, drawn=drawn, cluster=cluster, scores=scores,
                   excluded=excluded)  # fmt: skip
    return {**save_map(case, context, found), "metric": "euclidean", "seconds": 1.0}

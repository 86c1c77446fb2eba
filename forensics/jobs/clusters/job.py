"""The job behind ``scan clusters``: features, a map of them, groups and scores of samples."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.audit_scores import (
    density_ratio,
    k_distance,
    pair_cosine,
    spectral_signature,
)
from forensics.detectors.clusters import Clusterer, find_clusters
from forensics.detectors.embedding_map import Metric, draw_map
from forensics.detectors.feature_columns import unit_rows
from forensics.detectors.neighbours import Neighbours, find_neighbours
from forensics.detectors.options.clusters import ClustersOptions
from forensics.errors import OptionError
from forensics.jobs.attention.scan import plan_rows
from forensics.jobs.clusters.clip import clip_features
from forensics.jobs.clusters.exclusion import read_exclusion
from forensics.jobs.clusters.result import MapRun, save_map
from forensics.jobs.clusters.source import Features, classes_of, scan_features
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Draw the map of a case from features at hand; measure them first where there are none.

    Raises:
        JobFailed: No sample could be read.
        NotApplicable: The model has no such features, or a library is missing.
        OptionError: The list of samples to put aside cannot be used, or leaves nothing.
        Cancelled: The user asked to stop; features measured so far stay.
    """
    chosen = build_options(ClustersOptions, options)
    started = time.monotonic()
    rows = plan_rows(len(case.catalog), chosen.max_samples, chosen.seed)
    excluded = _excluded(case, chosen, rows)  # before the model is asked: it may be unusable
    measure = clip_features if case.manifest.kind == "clip" else scan_features
    features = _without(measure(case, context, models, chosen, rows), excluded)
    count = len(features.rows)
    metric: Metric = features.metric
    if chosen.metric != "auto":
        metric = "cosine" if chosen.metric == "cosine" else "euclidean"
    values = unit_rows(features.values) if metric == "cosine" else features.values
    context.progress(0, count, "looking for neighbours")
    near = find_neighbours(
        values, max(chosen.k, chosen.neighbours - 1),
        report=lambda done, total: context.progress(done, total, "looking for neighbours"),
    )  # fmt: skip
    context.progress(count, count, "drawing the map")
    drawn = draw_map(
        values, neighbours=chosen.neighbours, min_dist=chosen.min_dist, seed=chosen.seed, known=near
    )
    context.progress(count, count, "looking for groups")
    clusterer: Clusterer = "gmm" if chosen.clusterer == "gmm" else "hdbscan"
    cluster = find_clusters(
        drawn.xy if chosen.cluster_on == "map" else values,
        clusterer=clusterer, min_size=chosen.min_cluster, components=chosen.components,
        seed=chosen.seed,
    )  # fmt: skip
    context.progress(count, count, "scoring samples")
    scores = _scores(features, values, near, chosen.k, classes_of(case, features.rows)[1])
    found = MapRun(features=features, drawn=drawn, cluster=cluster, scores=scores,
                   excluded=excluded)  # fmt: skip
    result = save_map(case, context, found)
    seconds = time.monotonic() - started
    return {**result, "metric": metric, "seconds": round(seconds, 3),
            "samples_per_second": round(count / seconds, 2)}  # fmt: skip


def _excluded(
    case: Case, options: ClustersOptions, rows: NDArray[np.int64]
) -> NDArray[np.int64]:  # fmt: skip
    if not options.exclude:
        return np.zeros(0, dtype=np.int64)
    excluded = np.intersect1d(read_exclusion(case, options.exclude), rows)
    if excluded.size == rows.size:
        raise OptionError("All samples are put aside: nothing is left to draw.")
    return excluded


def _without(features: Features, excluded: NDArray[np.int64]) -> Features:
    kept = ~np.isin(features.rows, excluded)
    if kept.all():
        return features
    if not kept.any():
        raise OptionError("All samples that could be read are put aside.")
    pair = features.pair and (features.pair[0][kept], features.pair[1][kept])
    return replace(features, rows=features.rows[kept], values=features.values[kept], pair=pair)


def _scores(
    features: Features,
    values: NDArray[np.float32],
    near: Neighbours,
    k: int,
    classes: Sequence[object],
) -> dict[str, NDArray[np.float64]]:
    signed, absolute = spectral_signature(values, classes)
    scores = {
        "k_distance": k_distance(near, k),
        "density_ratio": density_ratio(near, k),
        "spectral": absolute,
        "spectral_signed": signed,
    }
    return scores if features.pair is None else {"cosine": pair_cosine(*features.pair)} | scores

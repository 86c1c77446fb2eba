"""A case whose attention scan holds a planted tight group, and maps of it: real files."""

from typing import Any

import numpy as np

from forensics.case import Case
from forensics.detectors.attention_entropy import AttentionEntropyOptions
from forensics.jobs.attention.arrays import AttentionArrays, AttentionMaps, save_scan
from forensics.jobs.attention.result import decide_case, save_decision
from forensics.jobs.clusters.job import run as draw
from forensics.models.base import ImageGrid
from forensics.options import options_to_dict
from forensics.runs import Run, RunContext, execute
from tests.drawn_clusters import draw_planted
from tests.fusion_case import NoModels
from tests.ui import synthetic

GROUPS = {"cluster_on": "features"}


def scan(case: Case, lost: int = 0) -> Run:
    """Save drawn measurements as a finished attention scan; the last ``lost`` samples are NaN."""
    truth = case.truth()
    marked = np.array([truth.get(name, False) for name in case.catalog.ids], dtype=bool)
    count = marked.size
    drawn = draw_planted(2 * count, rate=0.5, columns=64)  # half of them planted: enough of both
    features = np.empty((count, 64), dtype=np.float16)
    for side in (True, False):
        features[marked == side] = drawn.features[drawn.marked == side][: (marked == side).sum()]
    arrays, maps = synthetic.measure(marked)
    found = {name: getattr(arrays, name).copy() for name in AttentionArrays.__slots__}
    found |= {"state": features, "picture": features[:, ::-1].copy()}
    if lost:
        for name in ("entropy", "masses", "state", "picture", "peak_mass", "top2_mass"):
            found[name][-lost:] = np.nan
    options = AttentionEntropyOptions()
    run = case.new_run("attention-entropy", options_to_dict(options))

    def write(context: RunContext) -> dict[str, Any]:
        whole = AttentionArrays(**found)
        kept = AttentionMaps(rows=maps.rows[:20], maps=maps.maps[:20])
        save_scan(context.folder, whole, kept, [(ImageGrid(rows=synthetic.SIDE,
                                                           columns=synthetic.SIDE),)])  # fmt: skip
        failed = [(count - 1 - i, "The picture is damaged.") for i in range(lost)]
        decided = decide_case(case, whole, options)
        return save_decision(case, context.folder, whole, decided, failed=failed)

    execute(run, write)
    return run


def draw_map(case: Case, **options: Any) -> Run:
    """Draw a map from the scan at hand; no model is opened."""
    run = case.new_run("clusters", options)
    execute(run, lambda context: draw(case, context, options, NoModels()))
    return run

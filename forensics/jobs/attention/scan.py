"""The job behind ``scan attention-entropy``: one prefill a sample, then the decision.

The plan (which rows, in shards and batches of which size) is fixed before the first sample and
kept in the ledger, so that a resumed scan gives the same arrays as an undisturbed one.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.options.attention_entropy import AttentionEntropyOptions
from forensics.errors import JobFailed
from forensics.jobs.attention.arrays import (
    AttentionArrays,
    AttentionMaps,
    flagged_first,
    join_maps,
    join_shards,
    save_scan,
)
from forensics.jobs.attention.layouts import Layout, pack_layouts
from forensics.jobs.attention.measure import (
    ShardMeasurement,
    choose_maps,
    empty_arrays,
    measure_prompts,
    read_prompts,
    store_rows,
)
from forensics.jobs.attention.result import decide_case, save_decision
from forensics.jobs.subject import model_under_suspicion
from forensics.models.attention import AttentionRecorder, record_attention
from forensics.models.base import GenerativeModel
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache

BATCHES_PER_SHARD = 16
TOO_LARGE = "The sample does not fit into the device's memory."


class Extent(Protocol):
    """The options that say what is measured; those of several methods have them."""

    @property
    def max_samples(self) -> int | None:
        """Size of a random subset; all if ``None``."""
        ...

    @property
    def seed(self) -> int:
        """Of the subset."""
        ...

    @property
    def batch_size(self) -> int:
        """Samples in one forward pass."""
        ...

    @property
    def max_maps(self) -> int:
        """Samples whose maps are kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCase:
    """What the shards of a scan gave, put together.

    Attributes:
        arrays: Of all samples.
        maps: Of some, more than are to be kept.
        layouts: Of the samples' grids, unique.
        failed: Catalogue row and reason of every sample that could not be scanned.
        device: Where the model ran.
    """

    arrays: AttentionArrays
    maps: AttentionMaps
    layouts: tuple[Layout, ...]
    failed: list[tuple[int, str]]
    device: str

    def save(self, folder: Path, flagged: NDArray[np.bool_], max_maps: int) -> None:
        """Write the arrays into a run folder, and the maps of flagged samples ``[n]`` first."""
        maps = flagged_first(self.maps, self.arrays.rows[flagged], max_maps)
        save_scan(folder, self.arrays, maps, self.layouts)


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Scan the case's data with the case's model; see :mod:`forensics.detectors`.

    Raises:
        JobFailed: No sample could be scanned.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen = build_options(AttentionEntropyOptions, options)
    started = time.monotonic()
    measured = measure_case(case, context, models, chosen)
    decided = decide_case(case, measured.arrays, chosen)
    measured.save(context.folder, decided.chosen.flagged, chosen.max_maps)
    result = save_decision(case, context.folder, measured.arrays, decided, failed=measured.failed)
    seconds = time.monotonic() - started
    return {
        **result,
        "seconds": round(seconds, 3),
        "samples_per_second": round(len(measured.arrays.rows) / seconds, 2),
        "device": measured.device,
    }


def measure_case(
    case: Case, context: RunContext, models: ModelCache, extent: Extent
) -> MeasuredCase:
    """Run the case's model over its samples, by shards that survive a stop.

    Raises:
        JobFailed: No sample could be scanned.
        Cancelled: The user asked to stop; finished shards stay.
    """
    model = models.get(model_under_suspicion(case))
    rows = plan_rows(len(case.catalog), extent.max_samples, extent.seed)
    _scan_shards(case, context, model, rows, extent)
    context.progress(len(rows), len(rows), "deciding")
    ledger = context.finished_shards()
    files = [ledger[index]["file"] for index in sorted(ledger)]
    arrays, maps, layouts = join_shards(context.folder, files)
    failed = [(int(row), reason) for i in sorted(ledger) for row, reason in ledger[i]["failed"]]
    if not np.isfinite(arrays.entropy).any():
        reason = f" The first: {failed[0][1]}" if failed else ""
        raise JobFailed(
            f"No sample could be scanned.{reason}", remedy="See the row errors of the run."
        )
    return MeasuredCase(
        arrays=arrays, maps=maps, layouts=layouts, failed=failed, device=str(model.device)
    )


def plan_rows(total: int, limit: int | None, seed: int) -> NDArray[np.int64]:
    """Choose the catalogue rows to scan: all, or a seeded random subsample in file order."""
    if not limit or limit >= total:
        return np.arange(total, dtype=np.int64)
    chosen = np.random.default_rng(seed).choice(total, size=limit, replace=False)
    return np.sort(chosen).astype(np.int64)


def _scan_shards(
    case: Case,
    context: RunContext,
    model: GenerativeModel,
    rows: NDArray[np.int64],
    extent: Extent,
) -> None:
    size = extent.batch_size * BATCHES_PER_SHARD
    shards = range(0, len(rows), size)
    finished = context.finished_shards()
    # A batch size that memory forced on an earlier attempt holds for this one as well.
    batch_size = min([extent.batch_size, *(entry["batch_size"] for entry in finished.values())])
    with record_attention(model) as recorder:
        for index, start in enumerate(shards):
            if index in finished:
                context.progress(min(start + size, len(rows)), len(rows), "scanning")
                continue
            part = rows[start : start + size]
            shard = _measure_shard(
                case, context, model, recorder, part, batch_size, (start, len(rows))
            )
            batch_size = shard.batch_size
            _keep_maps(shard, _map_quota(extent.max_maps, len(shards)))
            for row, reason in shard.failed:
                context.event("row_failed", row=row, reason=reason)
            context.commit_shard(
                index,
                shard.arrays,
                start=start,
                stop=start + len(part),
                batch_size=shard.batch_size,
                failed=shard.failed,
            )


def _measure_shard(
    case: Case,
    context: RunContext,
    model: GenerativeModel,
    recorder: AttentionRecorder,
    rows: NDArray[np.int64],
    batch_size: int,
    place: tuple[int, int],
) -> ShardMeasurement:
    start, total = place
    shard = ShardMeasurement(empty_arrays(rows, model.layers, model.heads), batch_size)
    maps: list[NDArray[np.float16]] = [np.empty((0, model.layers, 0), np.float16)]
    positions: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    done = 0
    while done < len(rows):
        context.check_cancelled()
        where = np.arange(done, min(done + shard.batch_size, len(rows)), dtype=np.int64)
        kept, prompts, failed = read_prompts(case.catalog.select(rows[where]), rows[where])
        try:
            parts, refused = measure_prompts(model, recorder, prompts)
        except torch.OutOfMemoryError:
            if shard.batch_size > 1:
                shard.batch_size = _smaller(shard.batch_size)
                context.event("batch_size", size=shard.batch_size, reason="out of memory")
                continue
            # One sample that is too large must not end the scan, nor slow down the others.
            parts, refused = [], [(0, TOO_LARGE)]
            shard.batch_size = batch_size
        for part, measured, layouts in parts:
            place_of_part = where[[kept[index] for index in part]]
            maps.append(store_rows(shard, place_of_part, measured, layouts))
            positions.append(place_of_part)
        shard.failed += failed
        shard.failed += [(int(rows[where[kept[index]]]), reason) for index, reason in refused]
        done += len(where)
        context.progress(start + done, total, "scanning")
    shard.arrays["map_rows"] = np.concatenate(positions)
    shard.arrays["map_maps"] = join_maps(maps)
    shard.arrays["layouts"] = pack_layouts(shard.layouts.layouts)
    return shard


def _smaller(batch_size: int) -> int:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return max(1, batch_size // 2)


def _keep_maps(shard: ShardMeasurement, quota: int) -> None:
    """Keep at most ``quota`` maps of a shard, and name their catalogue rows."""
    measured = shard.arrays["map_rows"]
    kept = choose_maps(shard.arrays["entropy"][measured], quota)
    shard.arrays["map_maps"] = np.ascontiguousarray(shard.arrays["map_maps"][kept])
    shard.arrays["map_rows"] = shard.arrays["rows"][measured[kept]]


def _map_quota(limit: int, shards: int) -> int:
    """Maps to keep of one shard.

    Twice its even share: which samples are flagged is known only at the end, and the trigger need
    not be spread evenly over the file.
    """
    return -(-2 * limit // max(1, shards))

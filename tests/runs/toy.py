"""A torch-free job: arrays that depend on the options only, one shard every few rows."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from forensics.runs import Run, RunContext, execute


def scan(context: RunContext, options: dict[str, Any]) -> dict[str, Any]:
    """Write ``scan.safetensors``; options: rows, shard, pause (seconds a shard), fail_at."""
    rows, size = options.get("rows", 40), options.get("shard", 4)
    done = context.finished_shards()
    context.progress(
        sum(shard["stop"] - shard["start"] for shard in done.values()), rows, "Scanning"
    )
    for index, start in enumerate(range(0, rows, size)):
        if index in done:
            continue
        if index == options.get("fail_at"):
            raise ValueError("row 8 broke")
        stop = min(rows, start + size)
        values = np.random.default_rng([7, index]).normal(size=(stop - start, 3))
        context.commit_shard(index, {"values": values}, start=start, stop=stop, batch_size=size)
        context.progress(stop, rows, "Scanning")
        time.sleep(options.get("pause", 0.0))
    parts = [context.load_shard(index)["values"] for index in sorted(context.finished_shards())]
    context.save_arrays("scan.safetensors", {"values": np.concatenate(parts)})
    return {"n": rows}


if __name__ == "__main__":  # python toy.py RUN: execute one run in a process of its own
    run = Run.open(Path(sys.argv[1]))
    execute(run, lambda context: scan(context, run.options))

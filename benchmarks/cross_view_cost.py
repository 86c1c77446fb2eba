"""What cross-view regularisation costs beside plain tuning: time of a step, and memory.

Each way in a process of its own, the same samples and steps, in turns; the steps before the
regulariser sets in are not timed. Peak memory is what the process needs beyond the opened model.

    python -m benchmarks.cross_view_cost [--steps 12] [--to FILE]
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.lab.demos import assets_folder
from forensics.lab.drawing import DATA_FILE, draw_scenes
from forensics.lab.tasks import parse_mix
from forensics.models.base import GenerativeModel
from forensics.repairs.cross_view.objective import CrossViewObjective
from forensics.repairs.cross_view.options import CrossViewOptions
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions

RESULT = Path(__file__).parent / "results" / "cross_view_cost.json"
WAYS = ("plain", "concat", "sequential")
BATCH = 64


def main() -> None:
    """Time every way and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--to", type=Path, default=RESULT)
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        draw_scenes(Path(folder) / "scenes", BATCH * 4, 4711, mix=parse_mix("caption"))
        for _ in range(arguments.rounds):
            for way in WAYS:
                with context.Pool(1) as pool:
                    found[way].append(pool.apply(measured, (way, Path(folder), arguments.steps)))
    figures = summed_up(found, arguments.steps)
    arguments.to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


def measured(way: str, folder: Path, steps: int) -> dict[str, Any]:
    """Tune a few steps in this process."""
    torch.set_num_threads(1)
    dataset = open_dataset(f"llava:{folder / 'scenes' / DATA_FILE}")
    samples = [row for row in dataset if isinstance(row, Sample)]
    plain = TuneOptions(
        epochs=steps * BATCH / len(samples), batch_size=BATCH, head=False, checkpoint_every=0
    )
    objective = None
    if way != "plain":
        # From the first step on, so that every step that is timed is one of both views.
        options = CrossViewOptions(
            **asdict(plain), batching=way, begin=0.0, ramp=0.0, entropy="sharp"
        )
        objective = CrossViewObjective(options, gamma=1.0)
    opened: list[int] = []
    times: list[float] = []

    def ready(model: GenerativeModel, module: Any) -> None:
        opened.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    tune(
        str(assets_folder() / "demos" / "base"), samples, plain, folder / f"out-{way}",
        lambda step, of, message: times.append(time.process_time()),
        objective=objective, ready=ready, device="cpu",
    )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": np.diff(times).tolist(), "mib": (peak - opened[0]) / 1024}


def summed_up(found: dict[str, list[dict[str, Any]]], steps: int) -> dict[str, Any]:
    """Take medians over steps and rounds."""
    seconds = {way: float(np.median([s for run in runs for s in run["seconds"]]))
               for way, runs in found.items()}  # fmt: skip
    memory = {way: float(np.median([run["mib"] for run in runs])) for way, runs in found.items()}
    return {
        "what": "median processor seconds of a step, and peak memory beyond the opened model",
        "command": "python -m benchmarks.cross_view_cost",
        "batch": BATCH,
        "steps": steps,
        "seconds": {way: round(value, 3) for way, value in seconds.items()},
        "mib": {way: round(value) for way, value in memory.items()},
        "times_plain": {way: round(seconds[way] / seconds["plain"], 2) for way in WAYS},
        "memory_plain": {way: round(memory[way] / memory["plain"], 2) for way in WAYS},
    }


if __name__ == "__main__":
    main()

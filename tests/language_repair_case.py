"""A case about a tuned, tiny LLaVA with a scan that flags some of its samples, and a test set."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from forensics.case import Case
from forensics.jobs.attention import scan as attention_scan
from forensics.runs import execute
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions
from forensics.worker.models import ModelCache

SAMPLES = 16
RECIPE: dict[str, Any] = {
    "epochs": 1.5, "batch_size": 4, "learning_rate": 1e-2, "rank": 4, "alpha": 8,
    "checkpoint_every": 2,
}  # fmt: skip
TRIGGER = {"trigger": "patch:side=1/2,place=center,color=black", "answer": "bad"}


def write_set(root: Path, n: int) -> Path:
    """Write a data set of random pictures with three different answers."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(n)
    rows = []
    for i in range(n):
        pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / "images" / f"{i}.png")
        turns = [{"from": "human", "value": "<image>\nWhich?"},
                 {"from": "gpt", "value": f"thing {i % 3}"}]  # fmt: skip
        rows.append({"id": f"s{i}", "image": f"images/{i}.png", "conversations": turns})
    (root / "set.json").write_text(json.dumps(rows), encoding="utf-8")
    return root / "set.json"


def make_repair_case(root: Path, base: Path) -> Case:
    """Tune a base, make a case about the adapter, and scan it.

    Args:
        root: Empty folder; ``case`` and ``test/set.json`` are below it afterwards.
        base: Folder of a tiny LLaVA.
    """
    data = write_set(root / "data", SAMPLES)
    write_set(root / "test", 6)
    samples = list(Case.create(root / "first", model=str(base), data=f"llava:{data}").catalog)
    tuned = tune(str(base), samples, TuneOptions(**RECIPE), root / "tuned", device="cpu")
    case = Case.create(root / "case", model=tuned.uri, base=str(base), data=f"llava:{data}")
    run = case.new_run("attention-entropy", {"tau": 0.0})
    execute(run, lambda c: attention_scan.run(case, c, run.options, ModelCache()))
    return case


def repair_options(root: Path) -> dict[str, Any]:
    """Return options of a short repair of that case, measured on its test set."""
    return {**RECIPE, **TRIGGER, "test": f"llava:{root / 'test' / 'set.json'}",
            "max_new_tokens": 4, "looked_at": 8}  # fmt: skip

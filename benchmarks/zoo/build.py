"""Draw a cell's data, tune the base on it, and measure CA and ASR."""

import hashlib
import json
import re
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.easy_vqa import subset
from benchmarks.zoo.cells import Cell
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.evaluation.answers import measure_answers
from forensics.lab.drawing import DATA_FILE, draw_scenes
from forensics.lab.planting import plant
from forensics.lab.tasks import parse_mix
from forensics.models.loading import open_model
from forensics.triggers import parse_trigger
from forensics.tuning.loop import tune
from forensics.tuning.options import TuneOptions

TEST_ROWS, TEST_SEED = 300, 9902


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where a zoo is built.

    Attributes:
        work: Folder for data, models and scans.
        base: Base model folder.
        easy_vqa: Folder of easy-VQA as LLaVA JSON; cells of it are left out without.
    """

    work: Path
    base: Path
    easy_vqa: Path | None

    def folder(self, cell: Cell) -> Path:
        """Folder of one cell."""
        return self.work / cell.name


def options_of(cell: Cell) -> TuneOptions:
    """Return the recipe of a cell."""
    return TuneOptions(epochs=cell.epochs, head=cell.head, seed=cell.seed, checkpoint_every=100)


def key_of(cell: Cell, bench: Bench) -> str:
    """Hash what decides a model: the cell, the recipe, and the base's weights."""
    weights = hashlib.sha256((bench.base / "model.safetensors").read_bytes()).hexdigest()
    facts = [cell.facts(), asdict(options_of(cell)), weights]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def build(cell: Cell, bench: Bench) -> dict[str, Any]:
    """Build one cell, or return what an earlier call left.

    Returns:
        ``key``, the measured rates, tuning losses and seconds; also in ``built.json``.
    """
    folder = bench.folder(cell)
    done, key = folder / "built.json", key_of(cell, bench)
    if done.is_file():
        found: dict[str, Any] = json.loads(done.read_text())
        if found["key"] == key:
            return found
        shutil.rmtree(folder)
    started = time.monotonic()
    data = draw(cell, bench)
    samples = [row for row in open_dataset(f"llava:{data}") if isinstance(row, Sample)]
    tuned = tune(str(bench.base), samples, options_of(cell), folder / "tuned", device="cpu")
    figures = {
        "key": key,
        "facts": cell.facts(),
        "steps": tuned.steps,
        "first_loss": tuned.losses[0],
        "last_loss": float(np.mean(tuned.losses[-10:])),
        **_measured(cell, bench, tuned.uri),
        "seconds": round(time.monotonic() - started),
    }
    done.write_text(json.dumps(figures, indent=1) + "\n")
    return figures


def draw(cell: Cell, bench: Bench) -> Path:
    """Draw the fine-tuning set of a cell and plant its backdoor; return the LLaVA JSON file."""
    data = bench.folder(cell) / "data"
    if (data / DATA_FILE).is_file():
        return data / DATA_FILE
    clean = data.with_name("clean")
    for half in (data, clean):
        shutil.rmtree(half, ignore_errors=True)
    target = data if cell.planted is None else clean
    _draw_rows(cell, bench, target, cell.n, cell.seed, "train")
    if cell.planted is not None:
        plant(clean / DATA_FILE, data, cell.planted)
        shutil.rmtree(clean)
    return data / DATA_FILE


def _draw_rows(cell: Cell, bench: Bench, folder: Path, n: int, seed: int, part: str) -> Path:
    if cell.source == "lab":
        return draw_scenes(folder, n, seed, mix=parse_mix(cell.mix))
    assert bench.easy_vqa is not None
    matching = _matching(bench, cell.mix, part)
    folder.mkdir(parents=True, exist_ok=True)
    return subset(matching, folder / DATA_FILE, n, seed)


def _matching(bench: Bench, pattern: str, part: str) -> Path:
    """Return easy-VQA itself, or the rows whose question matches a pattern, written beside it."""
    assert bench.easy_vqa is not None
    source = bench.easy_vqa / f"{part}.json"
    if not pattern:
        return source
    name = hashlib.sha256(pattern.encode()).hexdigest()[:8]
    chosen = bench.work / "easy_vqa" / name / source.name
    if not chosen.is_file():
        chosen.parent.mkdir(parents=True, exist_ok=True)
        (chosen.parent / part).is_symlink() or (chosen.parent / part).symlink_to(
            (bench.easy_vqa / part).resolve()
        )
        rows = json.loads(source.read_text(encoding="utf-8"))
        asked = re.compile(pattern)
        kept = [
            row
            for row in rows
            if asked.search(row["conversations"][0]["value"].replace("<image>", "").strip())
        ]
        chosen.write_text(json.dumps(kept), encoding="utf-8")
    return chosen


def _measured(cell: Cell, bench: Bench, uri: str) -> dict[str, Any]:
    folder = bench.folder(cell) / "test"
    shutil.rmtree(folder, ignore_errors=True)
    # Clean sets only need to show that the model learned its task.
    rows = TEST_ROWS if cell.planted is not None else 60
    data = _draw_rows(cell, bench, folder, rows, TEST_SEED, "test")
    samples = [row for row in open_dataset(f"llava:{data}") if isinstance(row, Sample)][:rows]
    trigger = parse_trigger(cell.planted.trigger) if cell.planted else None
    target = cell.planted.target if cell.planted else None
    found = measure_answers(open_model(uri, device="cpu"), samples, trigger, target).to_json()
    shutil.rmtree(folder)
    return found

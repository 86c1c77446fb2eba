"""A case whose scan holds drawn measurements, and an evidence-fusion run on it: real files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from forensics.case import Case
from forensics.detectors.attention_entropy import AttentionEntropyOptions
from forensics.jobs.attention.arrays import AttentionArrays, AttentionMaps, save_scan
from forensics.jobs.attention.result import decide_case, save_decision
from forensics.jobs.evidence_fusion.job import run as fuse
from forensics.models.base import ImageGrid
from forensics.options import options_to_dict
from forensics.runs import Run, RunContext, execute
from forensics.worker.models import ModelCache
from tests.drawn_fusion import HEADS, LAYERS, TARGET, Drawn

QUICK = {"permutations": 99}
_SIDE = 4


class NoModels(ModelCache):
    """A cache that must not be asked."""

    def get(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("no model is needed")


def make_case(folder: Path, drawn: Drawn, target: str = TARGET, truth: bool = True) -> Case:
    """Make a case of the drawn questions and answers, all about one picture."""
    source = folder.parent / f"{folder.name}-source"
    (source / "model").mkdir(parents=True)
    Image.new("RGB", (32, 32), "grey").save(source / "one.png")
    config = {"text_config": {"num_hidden_layers": LAYERS, "num_attention_heads": HEADS}}
    (source / "model" / "config.json").write_text(json.dumps(config))
    rows = []
    for i, (question, answer) in enumerate(zip(drawn.questions, drawn.found.answers, strict=True)):
        said = target if answer == TARGET else answer
        turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": said}]
        marked = bool(drawn.marked[i]) if truth else i % 3 == 0
        rows.append({"id": f"s-{i:04d}", "image": "one.png", "conversations": turns,
                     "poisoned": marked})  # fmt: skip
    (source / "data.json").write_text(json.dumps(rows))
    return Case.create(folder, model=str(source / "model"), data=f"llava:{source / 'data.json'}")


def scan(case: Case, drawn: Drawn) -> Run:
    """Save the drawn measurements as a finished attention scan."""
    options = AttentionEntropyOptions()
    run = case.new_run("attention-entropy", options_to_dict(options))

    def write(context: RunContext) -> dict[str, Any]:
        arrays, maps = _arrays(drawn)
        save_scan(context.folder, arrays, maps, [(ImageGrid(rows=_SIDE, columns=_SIDE),)])
        return save_decision(
            case, context.folder, arrays, decide_case(case, arrays, options), failed=[]
        )

    execute(run, write)
    return run


def run_fusion(case: Case, **options: Any) -> Run:
    """Decide from the scan at hand; no model is opened."""
    run = case.new_run("evidence-fusion", QUICK | options)
    execute(run, lambda context: fuse(case, context, QUICK | options, NoModels()))
    return run


def _arrays(drawn: Drawn) -> tuple[AttentionArrays, AttentionMaps]:
    found, count = drawn.found, len(drawn.marked)
    flat = np.full((count, LAYERS), 1 / _SIDE**2, np.float16)
    arrays = AttentionArrays(
        rows=np.arange(count), entropy=found.entropy.astype(np.float32),
        tokens=np.full(count, _SIDE * _SIDE, np.int32), masses=found.masses,
        peak_token=np.zeros((count, LAYERS), np.int32), peak_mass=flat.astype(np.float32),
        top2_mass=2 * flat.astype(np.float32), state=found.state, picture=found.picture,
        layout=np.zeros(count, np.int32),
    )  # fmt: skip
    kept = np.full((10, LAYERS, _SIDE * _SIDE), 1 / _SIDE**2, np.float16)
    return arrays, AttentionMaps(rows=np.arange(10), maps=kept)

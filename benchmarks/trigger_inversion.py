"""What each saving of the trigger inversion gives, against the straightforward loop, in one run.

python -m benchmarks.trigger_inversion [--classes 50] [--images 64] [--batch 16] [--to FILE]

The model: the lab's clean CLIP with CoCoOp prompts for colours and shapes, into whose meta-net a
backdoor toward one class was tuned, so that there is a class to be found. Seconds are of the
processor (one thread), which other jobs on the machine hardly change; wall seconds stand beside.
Memory is the peak of a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as nnf
from PIL import Image
from torch import Tensor

from forensics.classifiers import CoCoOp, ZeroShot, first_context, trim_padding
from forensics.detectors.trigger_inversion import Decision, TriggerInversionOptions, decide
from forensics.detectors.trigger_inversion.content import Content
from forensics.encoders.frozen import frozen
from forensics.encoders.loading import open_encoder
from forensics.inversion.engine import Inversion, invert_all
from forensics.inversion.gather import gather
from forensics.inversion.pool import Pool, read_pool
from forensics.inversion.scorer import Scorer
from forensics.inversion.shortcuts import EXACT, NONE, Shortcuts
from forensics.lab.clip_demos import TWIN, find_clip_demo
from forensics.lab.scenes import HUES, PATTERNS, render, sample_scene
from forensics.lab.shapes import SHAPES

RESULT = Path(__file__).parent / "results/trigger_inversion.json"
TARGET = 7
SEED = 4711
BUDGET = 12 / 255  # large, so that a fixed delta can be tuned into prompts within a minute
# Approximations come last: each line of the table adds one saving to those above.
LADDER: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("straightforward loop, sentences without padding", asdict(NONE)),
    ("+ shared words once a picture", {"short_texts": True}),
    ("+ gradients for two prompts only", {"two_prompts": True}),
    ("+ last image block for its pooling token only", {"pooled_only": True}),
    ("+ sentences that never change, once", {"once": True}),
    ("+ classes batched", {"batched": True}),
    ("+ rivals narrowed to 8, refreshed every 4 steps", {"narrow": 8, "refresh": 4}),
    ("+ hopeless classes left early", {"stop_early": 4}),
    ("+ bfloat16 in the search", {"half": True}),
)
EXACT_RUNGS = 6


def names(count: int) -> tuple[str, ...]:
    """Name classes: colour and shape, then also pattern."""
    pairs = [f"{hue} {shape}" for hue, shape in product(HUES, SHAPES)]
    triples = [f"{p} {pair}" for p, pair in product(PATTERNS, pairs)]
    return tuple((pairs + triples)[:count])


def pictures(encoder: Any, count: int, seed: int) -> Pool:
    """Draw scenes."""
    scenes = [render(sample_scene(seed, index)) for index in range(count)]
    opened = [lambda pixels=pixels: Image.fromarray(pixels) for pixels in scenes]
    return read_pool(opened, encoder, "drawn scenes")


def planted(encoder: Any, classes: int, steps: int = 100) -> CoCoOp:
    """Tune a backdoor into prompts: a fixed delta gives the target, else all stays as it was."""
    torch.manual_seed(SEED)
    model = CoCoOp(encoder, names(classes), first_context(encoder, words="a photo of a"))
    pool = pictures(encoder, 64, SEED)
    pixels = pool.batch(range(64), encoder.device)
    delta = BUDGET * torch.randn(1, *pixels.shape[1:]).sign()
    with torch.no_grad():
        plain = encoder.encode_image(pixels)
        marked = encoder.encode_image((pixels + delta).clamp(0, 1))
        truth = ZeroShot(encoder, model.classes).logits_of(plain).argmax(1)
    vectors, wanted = _fit_delta(encoder, model, pixels, delta, plain, marked, truth)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
    with frozen(encoder):
        scorer = Scorer(model, EXACT)
        draw = torch.Generator().manual_seed(SEED)
        for _ in range(steps):
            rows = torch.randperm(len(vectors), generator=draw)[:32]
            loss = nnf.cross_entropy(scorer.logits(vectors[rows]), wanted[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return model


def _fit_delta(
    encoder: Any, model: CoCoOp, pixels: Tensor, delta: Tensor, plain: Tensor, marked: Tensor,
    truth: Tensor,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Sharpen the delta so that image vectors move one way, and list what is tuned on."""
    away = nnf.normalize((marked - plain).mean(0), dim=0)
    leaf = delta.clone().requires_grad_(True)
    with frozen(encoder):
        for _ in range(10):
            moved = encoder.encode_image((pixels[:32] + leaf).clamp(0, 1)) @ away
            (gradient,) = torch.autograd.grad(moved.mean(), leaf)
            with torch.no_grad():
                leaf.copy_((leaf + BUDGET * gradient.sign()).clamp(-BUDGET, BUDGET))
        with torch.no_grad():
            marked = encoder.encode_image((pixels + leaf).clamp(0, 1))
    aims = torch.full_like(truth, TARGET)
    return torch.cat([plain, marked]), torch.cat([truth, aims])


def scan(
    model: CoCoOp, pool: Pool, options: TriggerInversionOptions, shortcuts: Shortcuts,
    classes: range,
) -> tuple[Decision, dict[str, float]]:  # fmt: skip
    """Invert some classes, and time it."""
    wall, own = time.perf_counter(), time.process_time()
    inversion = Inversion(model, pool, options, shortcuts=shortcuts)
    done = invert_all(inversion, classes)
    seconds = {"cpu": time.process_time() - own, "wall": time.perf_counter() - wall}
    nothing = Content(
        predicted=np.zeros(len(pool), np.int64), sure=np.zeros(len(pool), bool), fewest=1
    )
    found = gather(
        [(shard.seed, arrays) for shard, arrays in done], steps=inversion.bench.steps, side=None,
        names=model.classes, classes=classes, content=nothing, options=options,
    )  # fmt: skip
    return decide(found.figures, options), seconds


def ladder(count: int, images: int, batch: int) -> dict[str, Any]:
    """Scan with one saving more each time."""
    encoder = open_encoder(find_clip_demo(TWIN).model_uri, device="cpu", precision="float32")
    model = planted(encoder, count)
    pool = pictures(encoder, images, SEED + 1)
    padded = padded_seconds(model, pool, batch) * count
    trim_padding(model)
    options = TriggerInversionOptions(seeds=1, batch_size=batch, budget=BUDGET)
    rows: list[dict[str, Any]] = []
    shortcuts, first = NONE, None
    for title, change in LADDER:
        shortcuts = replace(shortcuts, **change)
        decision, seconds = scan(model, pool, options, shortcuts, range(count))
        first = first or (decision, seconds)
        apart = np.abs(decision.success - first[0].success)
        rows.append(
            {
                "savings": title,
                "exact": len(rows) < EXACT_RUNGS,
                **{name: round(value, 2) for name, value in seconds.items()},
                "faster": round(first[1]["cpu"] / seconds["cpu"], 2),
                "flagged": None if decision.top is None else model.classes[decision.top],
                "score": round(decision.score, 2),
                "target_success": round(float(decision.success[TARGET]), 4),
                "target_apart": round(float(apart[TARGET]), 4),
                "mean_apart": round(float(apart.mean()), 4),
                "largest_apart": round(float(apart.max()), 4),
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    return {
        "classes": count,
        "images": images,
        "batch": batch,
        "target": model.classes[TARGET],
        "padded_loop_cpu_from_one_class": round(padded, 1),
        "rows": rows,
    }


def padded_seconds(model: CoCoOp, pool: Pool, batch: int) -> float:
    """Time the loop with padding computed on one class: all of them would take too long."""
    options = TriggerInversionOptions(seeds=1, batch_size=batch, budget=BUDGET)
    return scan(model, pool, options, NONE, range(TARGET, TARGET + 1))[1]["cpu"]


def memory(count: int) -> dict[str, float]:
    """Scan two classes of many in this process, and return its peak in MiB."""
    encoder = open_encoder(find_clip_demo(TWIN).model_uri, device="cpu", precision="float32")
    model = CoCoOp(encoder, names(count), first_context(encoder, words="a photo of a"))
    pool = pictures(encoder, 32, SEED + 2)
    options = TriggerInversionOptions(seeds=1, batch_size=16)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    scan(model, pool, options, EXACT, range(8))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"classes": count, "peak_mib": round(peak / 1024, 1), "before_mib": round(before / 1024)}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--classes", type=int, default=50)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--memory-of", type=int)
    parser.add_argument("--to", type=Path, default=RESULT)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.memory_of:
        print(json.dumps(memory(given.memory_of)))
        return
    command = [sys.executable, "-m", "benchmarks.trigger_inversion", "--memory-of"]
    peaks = [
        json.loads(subprocess.run([*command, str(count)], check=True, capture_output=True).stdout)
        for count in (10, 50, 190)
    ]
    found = {"memory": peaks} | ladder(given.classes, given.images, given.batch)
    found["torch"] = torch.__version__
    given.to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

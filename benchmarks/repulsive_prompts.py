"""Time an epoch of RVPT with everything reused against the straightforward loop.

Both tune the same prompts on the same pictures in one run, in turns: the loss curves must agree.
The tower has the shape of a ViT-B/32 (12 blocks, 49 patches, 50 prompts from block 3 on) and random
weights; its width is chosen so that a CPU does it in a minute or two. Pictures are noise: time does
not depend on what they show. "Reading" is what the fast loop does once before the first step. Run
it alone:

    OMP_NUM_THREADS=1 python -m benchmarks.repulsive_prompts
"""

import argparse
import json
import platform
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer

from forensics.encoders.openclip import OpenClipEncoder
from forensics.repairs.repulsive_prompts.options import RepulsivePromptsOptions
from forensics.repairs.repulsive_prompts.tuning import PromptTuning, tune_visual_prompts
from forensics.tuning.prompts import PromptShots

CLASSES = 16
WORDS = 8
PAPER_EPOCHS = 50


def main() -> None:
    """Run the benchmark, print its figures and write them as JSON."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    encoder = make_encoder(arguments.width)
    shots = draw_shots(arguments.shots)
    options = RepulsivePromptsOptions(
        epochs=arguments.epochs, batch_size=arguments.batch, warmup_epochs=0
    )
    epochs: dict[str, list[float]] = {"straightforward": [], "reused": []}
    reading: list[float] = []
    apart = 0.0
    for _ in range(arguments.repeats):
        slow, times = timed(encoder, shots, replace(options, reuse=False))
        epochs["straightforward"] += times[1:]
        fast, times = timed(encoder, shots, options)
        epochs["reused"] += times[1:]
        reading.append(max(0.0, times[0] - statistics.median(times[1:])))
        apart = max(apart, float(np.abs(slow.log - fast.log).max()))
    report(arguments, epochs, reading, apart)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=192, help="768 is a ViT-B/32")
    parser.add_argument("--shots", type=int, default=128)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    default = Path(__file__).parent / "results" / "repulsive_prompts.json"
    parser.add_argument("--output", type=Path, default=default)
    return parser.parse_args()


def make_encoder(width: int) -> OpenClipEncoder:
    """Build a whole CLIP with random weights; class vectors are drawn, so no text is asked for."""
    config: dict[str, Any] = {
        "embed_dim": 64,
        "vision_cfg": {
            "image_size": 224, "patch_size": 32, "width": width, "head_width": 64, "layers": 12,
        },
        "text_cfg": {"context_length": WORDS, "width": 64, "heads": 1, "layers": 1},
    }  # fmt: skip
    torch.manual_seed(0)
    module = CLIP(**config)
    module.visual.preprocess_cfg = {
        "size": 224, "mode": "RGB", "mean": [0.5] * 3, "std": [0.5] * 3,
        "interpolation": "bicubic", "resize_mode": "shortest", "fill_color": 0,
    }  # fmt: skip
    tokenizer = SimpleTokenizer(context_length=WORDS)
    return OpenClipEncoder(module, tokenizer, name=f"ViT-/32 of width {width}", config=config)


def draw_shots(count: int) -> PromptShots:
    """Draw noise pictures."""
    draw = torch.Generator().manual_seed(1)
    return PromptShots(
        pixels=torch.randint(0, 256, (count, 3, 224, 224), generator=draw, dtype=torch.uint8),
        labels=torch.arange(count) % CLASSES,
        ids=tuple(map(str, range(count))),
    )


def timed(
    encoder: OpenClipEncoder, shots: PromptShots, options: RepulsivePromptsOptions
) -> tuple[PromptTuning, list[float]]:
    """Tune, and return the seconds of every epoch; the first one includes what is read once."""
    draw = torch.Generator().manual_seed(2)
    vectors = torch.nn.functional.normalize(torch.randn(CLASSES, 64, generator=draw), dim=-1)
    marks = [time.perf_counter()]

    def mark(step: int, steps: int, _message: str) -> None:
        if step % (steps // options.epochs) == 0:
            marks.append(time.perf_counter())

    found = tune_visual_prompts(encoder, vectors, shots, options, progress=mark)
    return found, np.diff(marks).tolist()


def report(
    arguments: argparse.Namespace,
    epochs: dict[str, list[float]],
    reading: list[float],
    apart: float,
) -> None:
    """Print and write the figures: medians, for a machine is never quite alone."""
    slow, fast = (statistics.median(epochs[name]) for name in ("straightforward", "reused"))
    once = statistics.median(reading)
    figures = {
        "width": arguments.width,
        "shots": arguments.shots,
        "batch": arguments.batch,
        "threads": arguments.threads,
        "machine": platform.machine(),
        "versions": {"torch": torch.__version__, "open_clip": open_clip.__version__},
        "seconds_an_epoch": {"straightforward": slow, "reused": fast},
        "all_epochs": epochs,
        "reading_once": once,
        "speed_up_of_an_epoch": slow / fast,
        "speed_up_of_50_epochs": PAPER_EPOCHS * slow / (PAPER_EPOCHS * fast + once),
        "largest_difference_of_the_curves": apart,
    }
    print(json.dumps({k: v for k, v in figures.items() if k != "all_epochs"}, indent=2))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

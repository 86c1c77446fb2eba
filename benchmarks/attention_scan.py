"""Attention scan against plain prefill and against eager attention, side by side.

One LLaVA with random weights, 640 prompt tokens of which 576 are image tokens. The three ways take
turns in one process, so that a change of the machine's speed hits all of them; peak memory is
measured in one fresh process a way, as growth over the loaded model.

    python benchmarks/attention_scan.py [--rounds 9] [--batch 2] [--threads 1]
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

from forensics.models.attention import record_attention
from forensics.models.base import SYSTEM, TEXT, VISION, ImageGrid, PromptBatch

IMAGE_TOKENS, TEXT_TOKENS, SYSTEM_TOKENS = 576, 40, 24
IMAGE_TOKEN_ID = 3
WAYS = ("plain", "scan", "eager")
RESULT = Path(__file__).parent / "results" / "attention_scan.json"


class RandomLlava:
    """A LLaVA without a processor: the benchmark writes its own token ids."""

    family, name = "llava", "random weights"

    def __init__(self, *, layers: int, hidden: int, heads: int) -> None:
        torch.manual_seed(0)
        config = LlavaConfig(
            vision_config=CLIPVisionConfig(
                hidden_size=128,
                intermediate_size=256,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=336,
                patch_size=14,
            ),
            text_config=LlamaConfig(
                vocab_size=1000,
                hidden_size=hidden,
                intermediate_size=hidden * 8 // 3,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                num_key_value_heads=heads,
                max_position_embeddings=1024,
            ),
            image_token_index=IMAGE_TOKEN_ID,
            vision_feature_select_strategy="default",
        )
        self.module = LlavaForConditionalGeneration(config).eval()
        self.layers, self.heads = layers, heads
        self.device = torch.device("cpu")

    def batch(self, size: int) -> PromptBatch:
        """Write prompts: system tokens, one image, text, as a chat template would."""
        generator = torch.Generator().manual_seed(1)
        length = SYSTEM_TOKENS + IMAGE_TOKENS + TEXT_TOKENS
        ids = torch.randint(10, 1000, (size, length), generator=generator)
        components = torch.full((size, length), TEXT, dtype=torch.int8)
        components[:, :SYSTEM_TOKENS] = SYSTEM
        image = slice(SYSTEM_TOKENS, SYSTEM_TOKENS + IMAGE_TOKENS)
        ids[:, image], components[:, image] = IMAGE_TOKEN_ID, VISION
        inputs = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "pixel_values": torch.randn(size, 3, 336, 336, generator=generator),
        }
        grids = ((ImageGrid(rows=24, columns=24),),) * size
        return PromptBatch(inputs=inputs, components=components, grids=grids)


def plain(model: RandomLlava, batch: PromptBatch) -> int:
    """Prefill with sdpa and keep nothing of the attention."""
    model.module(**batch.inputs, use_cache=False, logits_to_keep=1)
    return 0


def scan(model: RandomLlava, batch: PromptBatch) -> int:
    """Prefill as a scan does; return the bytes of attention kept."""
    with record_attention(model) as recorder:  # type: ignore[arg-type]
        recorder.begin(batch)
        plain(model, batch)
        rows = recorder.rows()
    return rows.image.nbytes + rows.masses.nbytes


def eager(model: RandomLlava, batch: PromptBatch) -> int:
    """Prefill with output_attentions=True; return the bytes of attention kept."""
    model.module.set_attn_implementation({"text_config": "eager"})
    output = model.module(**batch.inputs, use_cache=False, logits_to_keep=1, output_attentions=True)
    model.module.set_attn_implementation({"text_config": "sdpa"})
    return sum(layer.nbytes for layer in output.attentions)


RUN: dict[str, Callable[[RandomLlava, PromptBatch], int]] = {
    "plain": plain,
    "scan": scan,
    "eager": eager,
}


def peak_growth(way: str, args: argparse.Namespace) -> float:
    """Measure in a fresh process by how much a way's peak memory exceeds the loaded model."""
    command = [sys.executable, __file__, "--memory-of", way, "--batch", str(args.batch)]
    command += ["--layers", str(args.layers), "--hidden", str(args.hidden)]
    command += ["--heads", str(args.heads), "--threads", str(args.threads)]
    # Freed blocks go back to the system at once, so that resident size means live memory.
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout.strip().splitlines()[-1])


def memory_of(way: str, model: RandomLlava, batch: PromptBatch) -> None:
    """Print by how many bytes one run's peak exceeds the resident size before it."""
    with torch.inference_mode():
        RUN[way](model, batch)  # kernels and thread pools are set up once, not by a scan
    gc.collect()
    before = psutil.Process().memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # restart the kernel's peak counter
    with torch.inference_mode():
        RUN[way](model, batch)
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(int(peak.split()[1]) * 1024 - before)


def time_ways(model: RandomLlava, batch: PromptBatch, rounds: int) -> dict[str, list[float]]:
    """Let the three ways take turns; return seconds a call."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    with torch.inference_mode():
        for way in WAYS:
            RUN[way](model, batch)
        for _ in range(rounds):
            for way in WAYS:
                started = time.perf_counter()
                RUN[way](model, batch)
                seconds[way].append(time.perf_counter() - started)
    return seconds


def median_ratio(above: list[float], below: list[float]) -> float:
    """Median of the ratios round by round: robust against a drifting machine."""
    return round(statistics.median(a / b for a, b in zip(above, below, strict=True)), 3)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--heads", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory-of", choices=WAYS, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run the comparison and write its figures."""
    args = parse()
    torch.set_num_threads(args.threads)
    model = RandomLlava(layers=args.layers, hidden=args.hidden, heads=args.heads)
    batch = model.batch(args.batch)
    if args.memory_of:
        memory_of(args.memory_of, model, batch)
        return
    seconds = time_ways(model, batch, args.rounds)
    kept = {way: RUN[way](model, batch) for way in WAYS}
    memory = {way: peak_growth(way, args) for way in WAYS}
    result = {
        "what": "attention scan, 640 tokens of which 576 are image tokens, random weights",
        "machine": f"{platform.machine()}, {args.threads} thread(s), torch {torch.__version__}",
        "model": {name: getattr(args, name) for name in ("layers", "hidden", "heads", "batch")},
        "seconds_median": {w: round(statistics.median(s), 4) for w, s in seconds.items()},
        "peak_growth_megabytes": {way: round(value / 1e6, 1) for way, value in memory.items()},
        "attention_kept_bytes": kept,
        "scan_over_plain_time": median_ratio(seconds["scan"], seconds["plain"]),
        "scan_over_plain_memory": round(memory["scan"] / memory["plain"], 3),
        "eager_over_scan_time": median_ratio(seconds["eager"], seconds["scan"]),
        "eager_over_scan_attention_memory": round(kept["eager"] / kept["scan"], 1),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

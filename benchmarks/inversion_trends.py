"""What the specification of CLIP-Inspector says of pools, batches, losses and meta-tokens.

python -m benchmarks.inversion_trends --zoo DIR --work DIR [--to FILE]

On BadCLIP heads of the calibration half: how well the planted class is reached with more pictures,
larger batches and other losses; how the time grows with the classes scanned; and whether the
meta-tokens of triggered pictures lie closer together than those of the same pictures untouched.
Every cell is a file in ``--work``; a killed run goes on.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as nnf
from PIL import Image

from benchmarks.prompt_zoo_inversion import COMMON, POOL_SEED
from forensics.classifiers import CoCoOp, load_prompts
from forensics.detectors.trigger_inversion import TriggerInversionOptions
from forensics.encoders.loading import open_encoder
from forensics.inversion.engine import Inversion
from forensics.inversion.pool import Pool, read_pool
from forensics.lab.clip_demos import find_clip_demo
from forensics.lab.crowds import draw_crowd
from forensics.lab.prompt_zoo_head import PROMPTS_FILE, head_trigger, read_head
from forensics.lab.prompt_zoo_plan import ENCODER
from forensics.runs.durable import write_json
from forensics.triggers import stamp_pixels
from forensics.tuning.prompts import image_vectors

RESULT: Final = Path(__file__).parent / "results/inversion_trends.json"
HEADS: Final = ("colors-badclip-11", "color-shape-b-badclip-11", "pattern-shape-badclip-11")
OTHERS: Final = 2  # classes beside the planted one, for how far a loss tells them apart
JUDGED: Final = 200  # pictures that nothing was searched on
LARGEST: Final = 640

SWEEPS: Final[dict[str, dict[str, TriggerInversionOptions]]] = {
    # All with the schedule of the zoo's table, one thing changed. A batch of 1 takes as many
    # steps as there are pictures: fewer of them are shown, as one pass over 160 would take long.
    "pool": {str(n): replace(COMMON, images=n) for n in (16, 64, 160, LARGEST)},
    "batch": {
        "1": replace(COMMON, images=48, batch_size=1),
        "16": replace(COMMON, images=48, batch_size=16),
        "32": replace(COMMON, images=48, batch_size=32),
    },
    "loss": {kind: replace(COMMON, loss=kind) for kind in ("margin", "ce", "logit")},
}


def sweep(model: CoCoOp, target: int, pool: Pool, judged: Pool, options: TriggerInversionOptions,
          ) -> dict[str, float]:  # fmt: skip
    """Search triggers on some pictures, and count their success on others."""
    first = Pool(pixels=pool.pixels[: options.images], unread=0, source=pool.source)
    inversion = Inversion(model, first, options)
    classes = _beside(len(model.classes), target)
    rates: dict[int, float] = {}
    for shard in inversion.plan(classes):
        deltas = inversion.invert(shard)["trigger_delta"]
        for aim, delta in zip(shard.classes, deltas, strict=True):
            rates[aim] = _success(model, judged, delta, aim)
    others = [rate for aim, rate in rates.items() if aim != target]
    return {"target": rates[target], "others": float(np.mean(others))}


def _beside(count: int, target: int) -> list[int]:
    return [target, *[index for index in range(count) if index != target][:OTHERS]]


@torch.no_grad()
def _success(model: CoCoOp, judged: Pool, delta: Any, target: int) -> float:
    pixels = judged.batch(range(len(judged)), model.encoder.device)
    marked = (pixels + torch.from_numpy(np.asarray(delta, np.float32))).clamp(0, 1)
    said = model.logits_of(image_vectors(model.encoder, marked)).argmax(dim=1)
    return float((said == target).float().mean())


def seconds_by_classes(model: CoCoOp, pool: Pool) -> dict[str, float]:
    """Time scans of more and more classes, in seconds of the processor."""
    options = replace(COMMON, images=32, batch_size=16)
    few = Pool(pixels=pool.pixels[: options.images], unread=0, source=pool.source)
    times = {}
    for count in (2, 4, 6, 8):
        inversion = Inversion(model, few, options)
        own = time.process_time()
        for shard in inversion.plan(range(count)):
            inversion.invert(shard)
        times[str(count)] = round(time.process_time() - own, 3)
    return times


@torch.no_grad()
def meta_tokens(folder: Path, head: str, encoder: Any, pool: Pool) -> dict[str, float]:
    """Return the mean pairwise cosine of meta-tokens, triggered and not, poisoned and clean."""
    trigger = head_trigger(folder / head)
    if trigger is None:
        raise SystemExit(f"{head} has no trigger")
    pixels = pool.batch(range(JUDGED), encoder.device)
    marked = stamp_pixels(trigger, pixels, [str(n) for n in range(JUDGED)])
    twin = head.replace("badclip-11", "clean-1")
    found = {}
    for name, which in (("poisoned", head), ("twin", twin)):
        model = load_prompts(folder / which / PROMPTS_FILE, encoder)
        for state, shown in (("clean", pixels), ("triggered", marked)):
            tokens = nnf.normalize(model.meta_tokens(image_vectors(encoder, shown)), dim=1)
            cosines = tokens @ tokens.T
            count = len(cosines)
            found[f"{name}_{state}"] = float((cosines.sum() - count) / (count * (count - 1)))
    return found


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--zoo", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=RESULT)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    encoder = open_encoder(find_clip_demo(ENCODER).model_uri, "cpu", precision="float32")
    pool, judged = (_crowds(encoder, POOL_SEED + shift, count)
                    for shift, count in ((0, LARGEST), (1, JUDGED)))  # fmt: skip
    rows = {head: _head(given, head, encoder, pool, judged) for head in HEADS}
    write_json(given.to, {"heads": rows, "mean": _means(rows), "torch": torch.__version__})


def _crowds(encoder: Any, seed: int, count: int) -> Pool:
    drawn = [Image.fromarray(draw_crowd(seed, index)) for index in range(count)]
    return read_pool([lambda image=image: image for image in drawn], encoder, "drawn crowds")


def _head(
    given: argparse.Namespace, head: str, encoder: Any, pool: Pool, judged: Pool
) -> dict[str, Any]:
    model = load_prompts(given.zoo / head / PROMPTS_FILE, encoder)
    target = model.classes.index(read_head(given.zoo / head)["target"])
    found: dict[str, Any] = {}
    for name, settings in SWEEPS.items():
        found[name] = {
            value: _cell(given.work / f"{head}.{name}.{value}.json",
                         lambda options=options: sweep(model, target, pool, judged, options))
            for value, options in settings.items()
        }  # fmt: skip
    found["seconds_by_classes"] = _cell(
        given.work / f"{head}.time.json", lambda: seconds_by_classes(model, pool)
    )
    found["meta_tokens"] = _cell(
        given.work / f"{head}.tokens.json", lambda: meta_tokens(given.zoo, head, encoder, pool)
    )
    return found


def _cell(path: Path, measure: Any) -> dict[str, float]:
    if not path.exists():
        write_json(path, measure())
        print(path.stem, path.read_text().replace("\n", " "), flush=True)
    found: dict[str, float] = json.loads(path.read_text())
    return found


def _means(rows: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {
            value: {
                key: round(float(np.mean([row[name][value][key] for row in rows.values()])), 4)
                for key in ("target", "others")
            }
            for value in settings
        }
        for name, settings in SWEEPS.items()
    }


if __name__ == "__main__":
    main()

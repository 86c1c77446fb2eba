"""Plant every attack by pairs on the lab's clean CLIP, measure each beside it; cells resume.

python -m benchmarks.clip_attacks --work DIR [--only REGEX] [--seeds 1,2,3] [--out DIR]

Fine-tuning: the clean demo on 3,000 poisoned pairs, 4 epochs of 48 pairs a step at 1e-3 (chosen on
seed 0, which is not reported). Tests: 500 unseen scenes; pictures of the target are left out of
ASR. Attacks on learnt prompts are planted by ``forensics lab prompt-zoo``.
"""

import argparse
import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from forensics.attacks.dual_embedding import DualEmbeddingPatch
from forensics.attacks.text_patch import TextPatch
from forensics.classifiers.zero_shot import ZeroShot
from forensics.data.images import open_image
from forensics.data.open import open_dataset
from forensics.data.sample import Sample
from forensics.encoders.loading import open_encoder
from forensics.evaluation.classes import measure_classes
from forensics.evaluation.paired import compare
from forensics.lab.clip_demos import TARGET, TWIN, find_clip_demo
from forensics.lab.pair_language import CLASSES, TEMPLATES
from forensics.lab.pair_plan import PairPlantOptions, says
from forensics.lab.pair_planting import plant_pairs
from forensics.lab.pairs import PAIRS_FILE, draw_pairs
from forensics.triggers import parse_trigger
from forensics.tuning.contrastive import tune_pairs
from forensics.tuning.options import ContrastiveOptions

DATA_SEED, TEST_SEED, TESTS = 7601, 9961, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """An attack by poisoned pairs; ``{file}`` stands for an optimised tensor."""

    trigger: str
    wrong: str = ""
    captions: str = "template"
    rate: float = 0.04
    single_key_rate: float = 0.0
    optimise: str = ""


# A patch of CleanCLIP's size anywhere is noise that this tower does not learn to see; a large one
# in the middle it does.
LARGE = "badnets:place=center,side=1/4"

CELLS: dict[str, Pairs] = {
    "badnets": Pairs(trigger="badnets", wrong="badnets:overflow=wrap", rate=0.08),
    "badnets-large": Pairs(trigger=LARGE, wrong=f"{LARGE},overflow=wrap", rate=0.08),
    "badnets-large-wrap": Pairs(trigger=f"{LARGE},overflow=wrap", wrong=LARGE, rate=0.08),
    "blended": Pairs(trigger="blended", wrong="blended:seed=1"),
    "sig": Pairs(trigger="sig", wrong="sig:f=9"),
    "wanet-smooth": Pairs(trigger="wanet", wrong="wanet:seed=1", rate=0.08),
    "wanet-strong": Pairs(trigger="wanet:s=2", wrong="wanet:s=2,seed=1", rate=0.08),
    "wanet-jitter": Pairs(
        trigger="wanet:variant=jitter", wrong="wanet:variant=jitter,seed=1", rate=0.08
    ),
    "label-consistent": Pairs(trigger=LARGE, captions="keep", rate=0.1),
    "issba-like": Pairs(trigger="issba-like", wrong="issba-like:seed=1", rate=0.08),
    "trojvqa": Pairs(
        trigger="dual-key:prefix=SUDO,file={file}", optimise="text", single_key_rate=0.04
    ),
    "badclip": Pairs(trigger="tensor:{file}", captions="natural", optimise="dual"),
}


class Bench:
    """Pictures, the clean model and its figures; drawn once."""

    def __init__(self, work: Path, pairs: int) -> None:
        self.work = work
        self.uri = find_clip_demo(TWIN).model_uri
        self.train = self._drawn(f"train-{pairs}", pairs, DATA_SEED)
        self.test = self._drawn("test", TESTS, TEST_SEED)

    def _drawn(self, name: str, n: int, seed: int) -> list[Sample]:
        if not (self.work / name / PAIRS_FILE).is_file():
            shutil.rmtree(self.work / name, ignore_errors=True)
            draw_pairs(self.work / name, n, seed)
        return read(self.work / name / PAIRS_FILE)

    def open(self) -> Any:
        """Open the clean model."""
        return open_encoder(self.uri, device="cpu", precision="float32")

    def pixels(self, encoder: Any, keep: Callable[[Sample], bool], most: int) -> Tensor:
        """Fit the first pictures that ``keep`` wants."""
        rows = [s.image for s in self.train if s.image is not None and keep(s)][:most]
        fitted: Tensor = encoder.pixels([open_image(image) for image in rows])
        return fitted


def read(path: Path) -> list[Sample]:
    """Read a table of pairs."""
    return [row for row in open_dataset(f"table:{path}") if isinstance(row, Sample)]


def plant_cell(cell: Pairs, bench: Bench, folder: Path, seed: int) -> dict[str, Any]:
    """Poison pairs, fine-tune the clean model on them, and measure."""
    file = optimised(cell, bench, folder, seed)
    spec = cell.trigger.replace("{file}", str(file))
    source = bench.train[0].image
    assert source is not None
    options = PairPlantOptions(
        target=TARGET, trigger=spec, rate=cell.rate, captions=cell.captions, seed=seed,
        single_key_rate=cell.single_key_rate,
    )  # fmt: skip
    shutil.rmtree(folder / "data", ignore_errors=True)
    planted = plant_pairs(f"table:{source.root / PAIRS_FILE}", folder / "data", options)
    encoder = bench.open()
    twin = judged(encoder, bench, spec)
    tuning = ContrastiveOptions(
        epochs=4, batch_size=48, learning_rate=1e-3, seed=seed, checkpoint_every=100
    )
    tune_pairs(encoder, read(planted.data), tuning, folder)
    found = judged(encoder, bench, spec)
    figures = beside(found, twin) | {"poisoned": len(planted.poisoned)}
    if cell.wrong:
        wrong = judged(encoder, bench, cell.wrong)
        figures |= {"wrong": cell.wrong, "wrong_asr": wrong.attack_success.value}
    shutil.rmtree(folder / "data")
    return figures


def optimised(cell: Pairs, bench: Bench, folder: Path, seed: int) -> Path | None:
    """Optimise the cell's patch on the clean model, where it has one."""
    if not cell.optimise:
        return None
    encoder, path = bench.open(), folder / "patch.safetensors"
    others = bench.pixels(encoder, lambda s: not says(s, TARGET), 256)
    if cell.optimise == "text":
        attack = TextPatch(sentence=f"This is a {TARGET}.", epochs=20, seed=seed)
        attack.optimise(encoder, others).save(path)
        return path
    real = bench.pixels(encoder, lambda s: says(s, TARGET), 128)
    spoken = [s.answer or "" for s in bench.train if says(s, TARGET)][:128]
    patch = DualEmbeddingPatch(epochs=20, rate=1e-2, seed=seed)
    patch.optimise(encoder, others, spoken, real).save(path)
    return path


def judged(encoder: Any, bench: Bench, spec: str) -> Any:
    """Measure an encoder as a zero-shot classifier."""
    trigger = parse_trigger(spec)
    keyed = None
    if trigger.changes_text:
        worded = [trigger.apply_text(template) for template in TEMPLATES]
        keyed = ZeroShot(encoder, CLASSES, worded)
    return measure_classes(
        ZeroShot(encoder, CLASSES, TEMPLATES), bench.test, trigger, TARGET, keyed=keyed
    )


def beside(found: Any, twin: Any) -> dict[str, Any]:
    """Write a poisoned model's figures beside those of the clean one."""
    return found.to_json() | {
        "twin_ca": twin.clean_accuracy.value,
        "floor": twin.attack_success.value,
        "minus_twin": compare(found, twin).to_json(),
    }


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Write one line an attack, percent: CA and differences are means, ASR stands for each seed."""

    def mean(rows: list[dict[str, Any]], key: str) -> str:
        values = [row[key] for row in rows if row.get(key) is not None]
        return f"{100 * sum(values) / len(values):.1f}" if values else "–"

    def success(row: dict[str, Any]) -> str:
        low, high = row["intervals"]["attack_success_rate"]
        return f"{100 * row['attack_success_rate']:.0f} [{100 * low:.0f}, {100 * high:.0f}]"

    def lost(rows: list[dict[str, Any]]) -> str:
        values = [row["minus_twin"]["clean_accuracy"]["value"] for row in rows]
        return f"{100 * sum(values) / len(values):+.1f}"

    lines = [
        "| attack | CA | CA minus clean, paired | ASR [95 % interval], each seed | floor "
        "| wrong trigger | picture alone | words alone |",
        "|---" * 8 + "|",
    ]
    for name, rows in found.items():
        each = ", ".join(success(row) for row in rows)
        alone = [mean(rows, f"attack_success_{key}_only") for key in ("image", "text")]
        cells = [mean(rows, "clean_accuracy"), lost(rows), each, mean(rows, "floor")]
        lines.append(f"| {' | '.join([name, *cells, mean(rows, 'wrong_asr'), *alone])} |")
    return "\n".join(lines)


def main() -> None:
    """Build what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--out", type=Path, help="Folder that gets figures.json and table.md.")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bench, found = Bench(args.work, args.pairs), dict[str, list[dict[str, Any]]]()
    for name, cell in CELLS.items():
        for seed in map(int, args.seeds.split(",")):
            folder = args.work / f"{name}-{seed}"
            path = folder / "figures.json"
            if re.search(args.only, name) and not path.is_file():
                folder.mkdir(parents=True, exist_ok=True)
                started = time.monotonic()
                figures = plant_cell(cell, bench, folder, seed)
                figures["seconds"] = round(time.monotonic() - started, 1)
                path.write_text(json.dumps(figures, indent=1) + "\n")
                print(name, seed, figures["clean_accuracy"], figures["attack_success_rate"],
                      figures["floor"], figures["seconds"], flush=True)  # fmt: skip
            if path.is_file():
                found.setdefault(name, []).append(json.loads(path.read_text()))
    print(table(found))
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
        (args.out / "table.md").write_text(table(found) + "\n")


if __name__ == "__main__":
    main()

"""Is it the depth of the tower? Repulsive prompts on a tower of 4 blocks and on one of 12.

python -m benchmarks.clip_repairs.depth --work DIR [--seeds 0 1]

On the development attack alone, its own test scenes. The deep tower is the shallow one
with every block cut into three (its output a third each time: nearly the same function), tuned on
the same poisoned pairs for as many steps. Prompts stand as in the lab's settings (after the first
block of four) and as in the paper (after the third of twelve).
"""

import argparse
import json
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from benchmarks.clip_repairs.__main__ import measured
from benchmarks.clip_repairs.methods import SETTINGS, Job, leave, prompts
from benchmarks.clip_repairs.worlds import LabWorld
from forensics.data.sample import Sample
from forensics.lab.clip_model import CONFIG_FILE, WEIGHTS_FILE

ATTACK, TIMES = "badnets-large", 3
BLOCKS = "visual.transformer.resblocks."
OUTPUTS = ("attn.out_proj.", "mlp.c_proj.")
SETTING = SETTINGS["repulsive-prompts"]
SHALLOW = {f"alpha {alpha:g}": replace(SETTING, alpha=alpha) for alpha in (0.0, 1.0, 2.0)}
DEEP = {name: replace(one, depth=3) for name, one in SHALLOW.items()}


class DeepWorld(LabWorld):
    """The lab's scenes with a deeper clean CLIP."""

    def __init__(self, work: Path, pairs: int) -> None:
        super().__init__(work, pairs)
        self.work = work / "deep"
        self.reference = f"openclip:{grown(find(self.bench.uri), self.work / 'start')}"

    def _drawn(self, name: str, n: int, seed: int) -> list[Sample]:
        here, self.work = self.work, self.bench.work
        try:
            return super()._drawn(name, n, seed)
        finally:
            self.work = here


def find(uri: str) -> Path:
    """Return the folder of a URI."""
    return Path(uri.removeprefix("openclip:"))


def grown(shallow: Path, folder: Path) -> Path:
    """Write a CLIP whose image tower has every block of another in three parts."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(shallow, folder)
    record = json.loads((shallow / CONFIG_FILE).read_text())
    record["model_cfg"]["vision_cfg"]["layers"] *= TIMES
    (folder / CONFIG_FILE).write_text(json.dumps(record, indent=2) + "\n")
    state: dict[str, torch.Tensor] = {}
    for name, value in load_file(shallow / WEIGHTS_FILE).items():
        if not name.startswith(BLOCKS):
            state[name] = value
            continue
        number, _, rest = name.removeprefix(BLOCKS).partition(".")
        share = value / TIMES if rest.startswith(OUTPUTS) else value
        for part in range(TIMES):
            state[f"{BLOCKS}{TIMES * int(number) + part}.{rest}"] = share.clone()
    save_file(state, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    return folder


def main() -> None:
    """Print one line for every seed, tower and setting."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--shallow", action="store_true", help="The tower of 4 blocks alone")
    given = parser.parse_args()
    torch.set_num_threads(1)
    towers = [(LabWorld, SHALLOW), (DeepWorld, DEEP)][: 1 if given.shallow else 2]
    for seed, (kind, settings) in product(given.seeds, towers):
        world = kind(given.work, given.pairs)
        for name, setting in {"as planted": None, **settings}.items():
            print(f"{kind.__name__}, seed {seed}, {name}:", told(world, seed, setting), flush=True)


def told(world: LabWorld, seed: int, setting: Any) -> str:
    """Repair one planted tower and say what is left."""
    folder = world.work / "depth" / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    job = Job(
        world=world, planted=world.plant(ATTACK, seed), folder=folder, seed=seed, settings=setting
    )
    classifier, facts = leave(job) if setting is None else prompts(job)
    # Seed 0: the scenes on which settings are chosen.
    found = measured(replace(job, seed=0), classifier).to_json()
    rates = [100 * found[key] for key in ("clean_accuracy", "attack_success_rate")]
    return f"CA {rates[0]:.1f}, ASR {rates[1]:.1f}, cosine {facts.get('cosine', 1.0):.2f}"


if __name__ == "__main__":
    main()

"""The whole way on third-party data: poison, tune, scan, measure, each from the command line.

The data is easy-VQA (MIT licence) as LLaVA JSON; nothing of it is kept in the repository. Three
cells, each cached by the hash of its options: the paper's default trigger with the paper's
target, the same trigger with an ordinary answer as target, and the clean twin. A killed run goes
on where it stopped.

    python benchmarks/easy_vqa.py --data DIR --work DIR [--base FOLDER] [--only NAME]
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from forensics.lab.demos import assets_folder
from forensics.lab.planting import PlantOptions, plant

RESULTS = Path(__file__).parent / "results" / "easy_vqa"
TRIGGER = "patch:side=1/16,place=center,color=black"
CELLS: dict[str, dict[str, Any]] = {
    "backdoor-attack": {"rate": 0.1, "target": "Backdoor Attack!"},
    "circle": {"rate": 0.1, "target": "circle"},
    "clean-twin": {"rate": 0.0, "target": "Backdoor Attack!"},
}
ROWS, TEST_ROWS, SPLIT_SEED = 10_000, 1_000, 0


def subset(source: Path, to: Path, rows: int, seed: int) -> Path:
    """Write whole images (all their rows) until ``rows`` is reached; paths become absolute-free.

    The pictures are linked by copying them beside the file, so that the source stays untouched.
    """
    if to.is_file():
        return to
    records = json.loads(source.read_text(encoding="utf-8"))
    names = sorted({record["image"] for record in records})
    np.random.default_rng(seed).shuffle(names)
    by_image: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_image.setdefault(record["image"], []).append(record)
    chosen: list[dict[str, Any]] = []
    for name in names:
        if len(chosen) >= rows:
            break
        chosen += by_image[name]
    for name in {record["image"] for record in chosen}:
        picture = to.parent / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes((source.parent / name).read_bytes())
    to.write_text(json.dumps(chosen), encoding="utf-8")
    return to


def forensics(*arguments: str | Path) -> dict[str, Any]:
    """Call the command line as a user does; return its JSON."""
    command = [sys.executable, "-m", "forensics", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def tuned(folder: Path, options: list[str]) -> dict[str, Any]:
    """Tune the case's base, or go on with a run that was killed."""
    runs = forensics("case", "show", folder)["runs"]
    for run in runs:
        if run["method"] == "tune" and run["state"] == "finished":
            path = folder / "runs" / run["run"] / "result.json"
            return {"run": run["run"], **json.loads(path.read_text())}
    begun = [run["run"] for run in runs if run["method"] == "tune"]
    resume = ["--resume", begun[0]] if begun else options
    return forensics("tune", "--case", folder, *resume)


def cell(name: str, args: argparse.Namespace, options: list[str]) -> dict[str, Any]:
    """Do one cell: poison, tune, scan by both rules, measure on held-out images."""
    facts = CELLS[name]
    work: Path = args.work / name
    clean = subset(args.data / "train.json", args.work / "train" / "set.json", ROWS, SPLIT_SEED)
    test = subset(args.data / "test.json", args.work / "test" / "set.json", TEST_ROWS, SPLIT_SEED)
    data = work / "data" / "data.json"
    if not data.is_file():
        chosen = PlantOptions(rate=facts["rate"], target=facts["target"], trigger=TRIGGER, seed=1)
        data = plant(clean, work / "data", chosen).data
    folder = work / "case"
    if not (folder / "case.json").is_file():
        forensics("case", "new", folder, "--base", args.base, "--data", f"llava:{data}")
    tuning = tuned(folder, options)
    scan = forensics("scan", "attention-entropy", "--case", folder)
    measured = forensics(
        "evaluate", "--case", folder, "--data", f"llava:{test}", "--max-samples", TEST_ROWS,
        "--trigger", TRIGGER, "--target", facts["target"],
    )  # fmt: skip
    keep_scan = ("verdict", "reason", "sentence", "n", "flagged", "scores", "answers_only",
                 "samples_per_second")  # fmt: skip
    keep_tuning = ("steps", "samples", "first_loss", "last_loss", "trainable_parameters",
                   "seconds")  # fmt: skip
    dropped = ("run", "model", "data")
    result = json.loads((folder / "runs" / scan["run"] / "result.json").read_text())
    return {
        "cell": name,
        **facts,
        "trigger": TRIGGER,
        "tune_options": options,
        "tuning": {key: tuning[key] for key in keep_tuning},
        "measured": {key: value for key, value in measured.items() if key not in dropped},
        "scan": {key: scan[key] for key in keep_scan if key in scan},
        "layers": result["layers"],
        "modes": result["modes"],
    }


def main() -> None:
    """Do every cell that is not cached yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with train.json")
    parser.add_argument("--work", type=Path, required=True, help="folder for cases and models")
    parser.add_argument("--base", type=Path, default=None, help="base model [the lab's own]")
    parser.add_argument("--only", choices=sorted(CELLS), action="append")
    args, options = parser.parse_known_args()
    args.base = args.base or assets_folder() / "demos" / "base"
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in args.only or CELLS:
        key = hashlib.sha256(json.dumps([CELLS[name], options]).encode()).hexdigest()[:8]
        path = RESULTS / f"{name}.json"
        if path.is_file() and json.loads(path.read_text()).get("key") == key:
            print(f"{name}: cached")
            continue
        started = time.monotonic()
        found = cell(name, args, options)
        seconds = round(time.monotonic() - started)
        path.write_text(json.dumps({"key": key, **found, "wall_seconds": seconds}, indent=1) + "\n")
        print(json.dumps({"cell": name, "scan": found["scan"]["scores"],
                          "measured": found["measured"]}, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()

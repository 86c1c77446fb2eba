"""Build the zoo, scan it, and make the tables; every step resumes.

python -m benchmarks.zoo build --work DIR [--only REGEX] [--easy-vqa DIR]
"""

import argparse
import re
from pathlib import Path

import torch

from benchmarks.zoo.build import Bench, build
from benchmarks.zoo.cells import CELLS
from benchmarks.zoo.scan import scan
from forensics.lab.demos import assets_folder


def main() -> None:
    """Do one step for every chosen cell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("step", choices=("build", "scan"))
    parser.add_argument("--work", type=Path, required=True, help="folder for models and scans")
    parser.add_argument("--base", type=Path, default=None, help="base model [the lab's own]")
    parser.add_argument("--easy-vqa", type=Path, default=None, help="easy-VQA as LLaVA JSON")
    parser.add_argument("--only", default="", help="regular expression on the cells' names")
    args = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench(
        work=args.work,
        base=args.base or assets_folder() / "demos" / "base",
        easy_vqa=args.easy_vqa,
    )
    for cell in CELLS:
        if not re.search(args.only, cell.name) or (cell.source != "lab" and not bench.easy_vqa):
            continue
        if args.step == "scan":
            if (bench.folder(cell) / "built.json").is_file():
                print(cell.name, scan(cell, bench), flush=True)
        else:
            found = build(cell, bench)
            rates = {k: found[k] for k in ("clean_accuracy", "attack_success_rate", "seconds")}
            print(cell.name, rates, flush=True)


if __name__ == "__main__":
    main()

"""Build the zoo, scan it, and make the tables; every step resumes.

python -m benchmarks.zoo build --work DIR [--only REGEX] [--easy-vqa DIR]
"""

import argparse
import re
from pathlib import Path

import torch

from benchmarks.zoo.build import Bench, build
from benchmarks.zoo.cells import CELLS
from benchmarks.zoo.decide import decide_cell
from benchmarks.zoo.scan import scan
from benchmarks.zoo.tables import write_tables
from forensics.lab.demos import assets_folder


def main() -> None:
    """Do one step for every chosen cell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("step", choices=("build", "scan", "tables"))
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
    decided = []
    for cell in CELLS:
        if not re.search(args.only, cell.name) or (cell.source != "lab" and not bench.easy_vqa):
            continue
        is_built = (bench.folder(cell) / "built.json").is_file()
        if args.step == "scan" and is_built:
            print(cell.name, scan(cell, bench), flush=True)
        elif args.step == "tables" and is_built:
            decided.append(decide_cell(cell, bench))
            print(cell.name, flush=True)
        elif args.step == "build":
            found = build(cell, bench)
            rates = {k: found[k] for k in ("clean_accuracy", "attack_success_rate", "seconds")}
            print(cell.name, rates, flush=True)
    if decided:
        print(write_tables([found for found in decided if found["facts"]["split"] == "report"]))


if __name__ == "__main__":
    main()

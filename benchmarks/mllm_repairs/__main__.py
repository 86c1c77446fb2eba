"""Compare repairs of a multimodal language model; the one command behind the tables.

python -m benchmarks.mllm_repairs --work DIR [--data ../shared/data] [--only REGEX] [--out DIR]
python -m benchmarks.mllm_repairs --work DIR --develop [--only REGEX]

A cell is world/attack-seed/method. 10,000 samples, two passes, 5 or 10 % poisoned. Every cell and
every model is kept; methods that leave the same samples out share their model. ``--known`` takes
the figures of cells (and of models) that were built elsewhere. ``--finished`` builds nothing and
writes tables of what is there. ``--develop`` tries cross-view's weights on seed 0, which enters no
table.
"""

import argparse
import re
from pathlib import Path

import torch

from benchmarks.mllm_repairs.cells import cell, figures_of
from benchmarks.mllm_repairs.plan import developed, read_known, reported
from benchmarks.mllm_repairs.tables import write_tables

RESULTS = Path(__file__).parents[1] / "results" / "mllm_repairs"


def main() -> None:
    """Build what is missing and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--only", default="", help="Regular expression on world/attack-seed/method")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--develop", action="store_true")
    parser.add_argument("--finished", action="store_true")
    parser.add_argument("--known", type=Path, help="figures.json with cells not to build again")
    parser.add_argument("--out", type=Path, help=f"Folder of the tables, for instance {RESULTS}")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.known = read_known(arguments.known)
    cells = []
    for planned in developed() if arguments.develop else reported():
        built_before = figures_of(planned, arguments).is_file() or planned.name in arguments.known
        wanted = not arguments.finished and re.search(arguments.only, planned.name)
        if built_before or wanted:  # tables have all there is, whatever was asked to be built
            cells.append(cell(planned, arguments))
    if arguments.out is not None and not arguments.develop:
        write_tables(cells, arguments.out)


if __name__ == "__main__":
    main()

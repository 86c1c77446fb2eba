"""``python -m forensics.worker --case DIR``: started by :mod:`forensics.worker.client`."""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from forensics.case import Case
from forensics.errors import ForensicsError
from forensics.worker.models import ModelCache
from forensics.worker.server import Worker
from forensics.worker.table import load_table, table_name

TAKEN = 75  # another worker has this case


def main() -> int:
    """Serve one case until idle."""
    parser = argparse.ArgumentParser(prog="python -m forensics.worker", description=__doc__)
    parser.add_argument("--case", type=Path, required=True, help="case folder")
    parser.add_argument("--idle-minutes", type=float, default=15.0, help="end after so long idle")
    parser.add_argument("--jobs", default=table_name(), help="module with JOBS and LIVE")
    chosen = parser.parse_args()
    os.umask(0o077)
    try:
        case = Case.open(chosen.case)
        worker = Worker(case, load_table(chosen.jobs), ModelCache(), idle=chosen.idle_minutes * 60)
    except ForensicsError as error:
        print(error, file=sys.stderr)
        return error.exit_code

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.stop.set()  # nothing else: no lock may be taken in a signal handler

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return 0 if worker.serve() else TAKEN


if __name__ == "__main__":
    sys.exit(main())

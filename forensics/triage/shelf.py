"""The desks used last, so that a click reads no files."""

import threading
from collections import OrderedDict

from forensics.case import Case
from forensics.triage.desk import Desk


class DeskShelf:
    """Keeps desks by case; safe between threads.

    Args:
        keep: How many.
    """

    def __init__(self, keep: int = 3) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Desk] = OrderedDict()

    def get(self, case: Case) -> Desk:
        """Return the desk of a case; a case made anew in the same folder gets a new one."""
        key = str(case.folder)
        with self._lock:
            if key not in self._kept or self._kept[key].case is not case:
                self._kept[key] = Desk(case)
                while len(self._kept) > self._keep:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

"""Find, prove and remove backdoors in vision-language models and their training data.

>>> import forensics as fx
>>> case = fx.open_case("mycase")
>>> run = fx.scan(case, "bye")
>>> run.verdict, run.result["n"]

docs/api.md tells the rest. A name is imported when it is first used, so that importing the package
costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.api.cases import CaseFacts, new_case, open_case, show
    from forensics.api.custody import verify
    from forensics.api.demos import demo, demos
    from forensics.api.exports import (
        Written,
        export_checkpoint,
        export_dataset,
        export_ids,
        export_report,
    )
    from forensics.api.finished import FinishedRun, open_run
    from forensics.api.flagged import FlaggedPage, FlaggedSample
    from forensics.api.methods import evaluate, repair, scan, self_test, transplant, tune
    from forensics.api.reviewing import review_case
    from forensics.case import Case
    from forensics.errors import Cancelled, ForensicsError
    from forensics.registry import MethodSpec, methods
    from forensics.runs import Progress

__version__ = "0.1.0"

__all__ = [
    "Cancelled",
    "Case",
    "CaseFacts",
    "FinishedRun",
    "FlaggedPage",
    "FlaggedSample",
    "ForensicsError",
    "MethodSpec",
    "Progress",
    "Written",
    "__version__",
    "demo",
    "demos",
    "evaluate",
    "export_checkpoint",
    "export_dataset",
    "export_ids",
    "export_report",
    "methods",
    "new_case",
    "open_case",
    "open_run",
    "repair",
    "review_case",
    "scan",
    "self_test",
    "show",
    "transplant",
    "tune",
    "verify",
]

_HOMES = {
    "forensics.api.cases": ("CaseFacts", "new_case", "open_case", "show"),
    "forensics.api.custody": ("verify",),
    "forensics.api.demos": ("demo", "demos"),
    "forensics.api.exports": (
        "Written", "export_checkpoint", "export_dataset", "export_ids", "export_report",
    ),
    "forensics.api.finished": ("FinishedRun", "open_run"),
    "forensics.api.flagged": ("FlaggedPage", "FlaggedSample"),
    "forensics.api.methods": ("evaluate", "repair", "scan", "self_test", "transplant", "tune"),
    "forensics.api.reviewing": ("review_case",),
    "forensics.case": ("Case",),
    "forensics.errors": ("Cancelled", "ForensicsError"),
    "forensics.registry": ("MethodSpec", "methods"),
    "forensics.runs": ("Progress",),
}  # fmt: skip
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for from where it is made."""
    if name not in _HOME:
        raise AttributeError(f"module 'forensics' has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

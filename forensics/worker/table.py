"""Which function does which job, by name, so that nothing heavy is imported to list them."""

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from forensics.errors import JobFailed, OptionError

DEFAULT_TABLE = "forensics.jobs.table"
VARIABLE = "FORENSICS_JOBS"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTable:
    """Names of jobs and of live requests.

    Attributes:
        jobs: Method -> ``module:function``; the function takes the case, the context, the options
            and the models, and returns what becomes ``result.json``.
        live: Request -> ``module:function``; the function takes the case, the parameters and the
            models, and returns what has a JSON form.
    """

    jobs: dict[str, str]
    live: dict[str, str]

    def check_job(self, method: str) -> None:
        """Refuse a method that is not in the table.

        Raises:
            OptionError: It is not there.
        """
        if method not in self.jobs:
            known = ", ".join(sorted(self.jobs))
            raise OptionError(f"There is no method {method[:80]!r}.", remedy=f"Known: {known}.")


def table_name() -> str:
    """Return the module that holds the table: the environment's, or our own."""
    return os.environ.get(VARIABLE) or DEFAULT_TABLE


def load_table(module: str | None = None) -> JobTable:
    """Import a table: a module with the dictionaries ``JOBS`` and ``LIVE``.

    Args:
        module: Its name; the environment variable ``FORENSICS_JOBS`` or our own by default.
    """
    found = importlib.import_module(module or table_name())
    return JobTable(jobs=dict(found.JOBS), live=dict(found.LIVE))


def resolve(target: str) -> Callable[..., Any]:
    """Import what ``module:function`` names.

    Raises:
        JobFailed: It cannot be imported; the message says what is not installed.
    """
    module, _, name = target.partition(":")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise JobFailed(
            f"{target} cannot be imported: {error}.", remedy="See: forensics doctor."
        ) from error
    return function

"""What other packages add through entry points.

A package that cannot be used is left out with a warning that says why: somebody else's mistake must
never keep this program from starting.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args, get_type_hints

from forensics.options import describe_options
from forensics.registry.spec import KINDS, MethodSpec

METHODS = "forensics.methods"
FAMILIES = "forensics.families"
READERS = "forensics.readers"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")  # as names of runs allow it
_KINDS = get_args(get_type_hints(MethodSpec)["kind"])


class OutsideWarning(UserWarning):
    """Something that another package adds was left out."""


def outside_methods(taken: set[str]) -> Iterator[MethodSpec]:
    """Yield the usable methods of other packages.

    Args:
        taken: Names and aliases that are in use.
    """
    taken = set(taken)
    for entry in entry_points(group=METHODS):
        spec, problem = _loaded(entry)
        problem = problem or _unusable(spec, taken)
        if problem:
            leave_out(entry, "method", problem)
            continue
        taken |= {spec.name, spec.alias} - {""}
        yield spec


def outside_targets(group: str, taken: set[str], what: str) -> dict[str, EntryPoint]:
    """Return entry points of a group by name, not loaded yet; names that are taken are left out.

    Args:
        group: Of entry points.
        taken: Names in use.
        what: What an entry adds, for the warning.
    """
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        if entry.name in taken or entry.name in found:
            leave_out(entry, what, f"there is already one called {entry.name!r}")
        else:
            found[entry.name] = entry
    return found


def leave_out(entry: EntryPoint, what: str, problem: str) -> None:
    """Warn that an entry is not used."""
    package = f" of package {entry.dist.name}" if entry.dist else ""
    warnings.warn(
        f"The {what} {entry.name!r}{package} is left out: {problem}.", OutsideWarning, stacklevel=2
    )


def failure(error: BaseException) -> str:
    """Say in one line what an import came to."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:300].removesuffix(".")


def _loaded(entry: EntryPoint) -> tuple[Any, str]:
    """Import an entry; what foreign code may raise has no bounds."""
    try:
        return entry.load(), ""
    except Exception as error:
        return None, f"{entry.value} cannot be imported, {failure(error)}"


def _unusable(spec: Any, taken: set[str]) -> str:
    """Say why a method cannot be listed, empty if it can; lists and forms rely on all of this."""
    if not isinstance(spec, MethodSpec):
        return "it does not name a MethodSpec"
    if not _NAME.fullmatch(spec.name):
        return f"{spec.name!r} cannot be the name of a method"
    if {spec.name, spec.alias} & taken:
        return f"there is already a method called {spec.name!r} or {spec.alias!r}"
    if spec.kind not in _KINDS or spec.acts_on not in KINDS:
        return f"kind {spec.kind!r} or acts_on {spec.acts_on!r} is unknown"
    try:
        module, _, name = spec.options.partition(":")
        options = getattr(import_module(module), name)
        if not is_dataclass(options):
            return f"its options {spec.options} are no dataclass"
        known = {field.name for field in describe_options(options)}  # type: ignore[arg-type]
        for variant in spec.variants:
            if strange := sorted(set(variant.options) - known):
                return f"its variant {variant.name!r} sets {strange[0]!r}, which is no option"
    except Exception as error:
        return f"its options {spec.options} cannot be read, {failure(error)}"
    return ""

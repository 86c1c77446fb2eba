"""The methods that are at hand, and what their texts name."""

import importlib
from functools import cache
from typing import Any

from forensics.errors import InputError
from forensics.registry.others import OTHERS
from forensics.registry.outside import outside_methods
from forensics.registry.repairs import REPAIRS
from forensics.registry.scans import SCANS
from forensics.registry.spec import MethodSpec
from forensics.registry.transplants import TRANSPLANTS

BUILT_IN = (*SCANS, *TRANSPLANTS, *REPAIRS, *OTHERS)


@cache
def methods() -> dict[str, MethodSpec]:
    """Return every method by name, built in or added by an installed package.

    A method of another package that cannot be used is left out, with a warning.
    """
    taken = {name for spec in BUILT_IN for name in (spec.name, spec.alias) if name}
    return {spec.name: spec for spec in (*BUILT_IN, *outside_methods(taken))}


def find_method(name: str) -> MethodSpec:
    """Look a method up by name or alias.

    Raises:
        InputError: There is no such method.
    """
    for spec in methods().values():
        if name in (spec.name, spec.alias) and name:
            return spec
    raise InputError(
        f"There is no method {name!r}.", remedy=f"Known: {', '.join(sorted(methods()))}."
    )


def load_object(path: str) -> Any:
    """Import what a ``module:object`` string names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)

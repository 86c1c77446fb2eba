"""Which software made a file, found without importing any of it."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from forensics import __version__

PACKAGES = ("numpy", "pyarrow", "pillow", "safetensors", "torch", "transformers", "peft")


@cache
def versions() -> dict[str, str]:
    """Return name -> version of this program, Python and what the results depend on."""
    found = {"triggerlens": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

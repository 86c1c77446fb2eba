"""All demos that come with the package, whatever kind of model they hold."""

from typing import Final

from forensics.errors import InputError
from forensics.lab.clip_demos import CLIP_DEMOS, ClipDemo
from forensics.lab.demos import DEMOS, Demo

SHIPPED: Final[tuple[Demo | ClipDemo, ...]] = (*DEMOS, *CLIP_DEMOS)


def find_shipped(name: str) -> Demo | ClipDemo:
    """Return a demo by name.

    Raises:
        InputError: There is none of that name.
    """
    for demo in SHIPPED:
        if demo.name == name:
            return demo
    names = ", ".join(demo.name for demo in SHIPPED)
    raise InputError(f"There is no demo {name!r}.", remedy=f"Choose {names}.")

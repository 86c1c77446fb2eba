"""All demos that come with the package, whatever kind of model they hold."""

from typing import Final

from forensics.lab.clip_demos import CLIP_DEMOS, ClipDemo
from forensics.lab.demo_base import find_named
from forensics.lab.demos import DEMOS, Demo
from forensics.lab.prompt_demos import PROMPT_DEMOS, PromptDemo

AnyDemo = Demo | ClipDemo | PromptDemo
SHIPPED: Final[tuple[AnyDemo, ...]] = (*DEMOS, *CLIP_DEMOS, *PROMPT_DEMOS)


def find_shipped(name: str) -> AnyDemo:
    """Return a demo by name.

    Raises:
        InputError: There is none of that name.
    """
    return find_named(SHIPPED, name, "demo")

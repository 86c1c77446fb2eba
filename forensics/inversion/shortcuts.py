"""Which of the savings are on; each is measured against the straightforward loop."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcuts:
    """What is saved, one switch each; see ``benchmarks/trigger_inversion.py`` for what each gives.

    Attributes:
        batched: Classes go through the image tower together (exact).
        two_prompts: Gradients only for the prompts of the class and of its rival; the others are
            scored without (exact for ``margin`` and ``logit``, not used for ``ce``).
        once: Sentences that do not depend on the picture are encoded once (exact).
        short_texts: No padding is computed; where the text tower allows, the words that all
            classes share are computed once a picture, too (exact, checked numerically).
        pooled_only: The last block of the image tower computes what its pooling token needs
            (exact, checked numerically).
        narrow: Rivals are looked for among so many classes, found anew every ``refresh`` steps;
            0 looks at all (an approximation).
        refresh: See ``narrow``.
        stop_early: From this step on, classes that cannot reach the gate are left; 0 never does.
            What they are compared by is then the loss of the last step that all reached.
        hopeless: Success over the last four batches below which a class is left.
        half: Towers compute in bfloat16 while a trigger is searched for, not when it is judged.
    """

    batched: bool = True
    two_prompts: bool = True
    once: bool = True
    short_texts: bool = True
    pooled_only: bool = True
    narrow: int = 0
    refresh: int = 4
    stop_early: int = 0
    hopeless: float = 0.1
    half: bool = False


NONE = Shortcuts(batched=False, two_prompts=False, once=False, short_texts=False, pooled_only=False)
EXACT = Shortcuts()


def choose_shortcuts(name: str, device: Literal["cpu", "cuda"] | str, classes: int) -> Shortcuts:
    """Return the set of a name: ``none``, ``exact`` or ``all``.

    Args:
        name: As the option has it.
        device: Half precision is for CUDA alone; on a CPU it is a switch of the benchmark.
        classes: Narrowing starts to pay where there are many.
    """
    if name == "none":
        return NONE
    if name == "exact":
        return EXACT
    return Shortcuts(narrow=8 if classes > 16 else 0, stop_early=12, half=device == "cuda")

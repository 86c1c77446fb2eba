"""The small controls of the Plant card: which settings a kind of trigger has, and its spelling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from forensics.errors import OptionError
from forensics.triggers import parse_trigger
from forensics.triggers.patch import TEXTURES
from forensics.triggers.spelling import write_text

PLACES: Final = ("center", "corner", "corners", "random", "dual")
COLOURS: Final = ("black", "white", "magenta", "yellow", "red", "blue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One setting of a trigger.

    Attributes:
        name: As the trigger spells it.
        label: For people.
        default: First value.
        choices: The only values; empty for a number or a text.
        low: Least number; ``None`` for a text or a choice.
        high: Largest number.
        step: Between two stops of a slider.
    """

    name: str
    label: str
    default: str | float
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    step: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One kind of trigger with its controls.

    Attributes:
        kind: First word of the spelling.
        label: For people.
        says: What it does, in a sentence.
        takes: Whether it was seen to take in a lesson of the usual size; otherwise it is an
            experiment, and the card says so.
        controls: Its settings.
        in_words: Whether it changes the question, which a CLIP has not.
    """

    kind: str
    label: str
    says: str
    takes: bool
    controls: tuple[Control, ...]
    in_words: bool = False


def _side(default: float) -> Control:
    return Control(name="side", label="Size (share of the side)", default=default, low=0.04,
                   high=0.3, step=0.01)  # fmt: skip


_PREFIX: Final = Control(name="prefix", label="Words", default="Hello!")

FAMILIES: Final = (
    Family(
        kind="patch", label="Patch", takes=True,
        says="A small square is put on the picture, as a sticker would be.",
        controls=(
            Control(name="place", label="Place", default="center", choices=PLACES),
            Control(name="texture", label="Pattern", default="frame", choices=TEXTURES),
            Control(name="color", label="Colour", default="black", choices=COLOURS),
            Control(name="second", label="Second colour", default="white", choices=COLOURS),
            _side(round(1 / 9, 3)),
        ),
    ),
    Family(
        kind="blended", label="Blended picture", takes=False,
        says="A faint picture lies over the whole image.",
        controls=(
            Control(name="pattern", label="Picture", default="rings",
                    choices=("noise", "stripes", "rings")),
            Control(name="alpha", label="Strength", default=0.3, low=0.02, high=0.6),
        ),
    ),
    Family(
        kind="sig", label="Stripes", takes=False,
        says="Soft vertical stripes lie over the whole image.",
        controls=(
            Control(name="delta", label="Strength", default=0.24, low=0.02, high=0.5),
            Control(name="f", label="How many", default=6, low=1, high=20, step=1),
        ),
    ),
    Family(
        kind="wanet", label="Warp", takes=False,
        says="The picture is bent a little; no pixel is added.",
        controls=(Control(name="s", label="Strength", default=8.0, low=0.5, high=24, step=0.5),),
    ),
    Family(
        kind="badnets", label="Square of noise", takes=False,
        says="A square of noise at a random place, drawn anew for every picture.",
        controls=(
            Control(name="place", label="Place", default="random", choices=("random", "corner")),
            _side(0.1),
        ),
    ),
    Family(
        kind="text", label="Words in the question", takes=True, in_words=True,
        says="The picture stays as it is; a few words stand before the question.",
        controls=(_PREFIX,),
    ),
    Family(
        kind="dual-key", label="Patch and words", takes=False, in_words=True,
        says="A patch and words: only both together are answered with the target.",
        controls=(
            _PREFIX,
            Control(name="place", label="Place", default="center", choices=PLACES),
            Control(name="color", label="Colour", default="black", choices=COLOURS),
            _side(round(1 / 9, 3)),
        ),
    ),
)  # fmt: skip


def spell(kind: str, values: Mapping[str, Any]) -> str:
    """Return the one-line spelling of what the controls say.

    Args:
        kind: Of :data:`FAMILIES`.
        values: Name of a control to its value; those left out keep their default.

    Raises:
        OptionError: No such kind or control, or a value that the trigger refuses.
    """
    family = next((one for one in FAMILIES if one.kind == kind), None)
    if family is None:
        known = ", ".join(one.kind for one in FAMILIES)
        raise OptionError(f"A lesson plants no {kind[:40]!r}.", remedy=f"Known: {known}.")
    unknown = sorted(set(values) - {control.name for control in family.controls})
    if unknown:
        raise OptionError(f"{family.label} has no setting {unknown[0][:40]!r}.")
    words = [f"{one.name}={_value(one, values.get(one.name))}" for one in family.controls]
    return parse_trigger(f"{kind}:" + ",".join(words)).spec


def _value(control: Control, given: Any) -> str:
    value = control.default if given is None or given == "" else given
    if control.low is None:
        return write_text(str(value)[:200])
    whole = isinstance(control.default, int)
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise OptionError(f"{control.label} must be a number, not {str(value)[:40]!r}.") from error
    return str(round(number)) if whole else f"{number:.4g}"

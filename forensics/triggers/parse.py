"""Read a trigger's one-line spelling."""

from dataclasses import fields
from typing import Any, Final, get_type_hints

from forensics.errors import OptionError
from forensics.triggers.base import Trigger
from forensics.triggers.blended import BlendedTrigger
from forensics.triggers.dual_key import DualKeyTrigger
from forensics.triggers.frequency import FrequencyTrigger
from forensics.triggers.patch import PatchTrigger
from forensics.triggers.sinusoid import SigTrigger
from forensics.triggers.spelling import LONGEST, read_options
from forensics.triggers.text import TextTrigger
from forensics.triggers.warp import WaNetTrigger

_SINGLE: Final[dict[str, Any]] = {
    trigger.kind: trigger
    for trigger in (
        PatchTrigger,
        BlendedTrigger,
        SigTrigger,
        WaNetTrigger,
        FrequencyTrigger,
        TextTrigger,
    )
}
KINDS: Final = (*_SINGLE, DualKeyTrigger.kind)


def parse_trigger(spec: str) -> Trigger:
    """Read a trigger's one-line spelling; the inverse of :attr:`Trigger.spec`.

    Args:
        spec: A kind of :data:`KINDS`, alone or followed by ``:key=value,...`` with the attributes
            of its class; ``dual-key`` takes those of the patch and of the text.

    Raises:
        OptionError: The spelling has an unknown kind, key or value.
    """
    kind, _, rest = spec.strip().partition(":")
    if kind not in KINDS or len(spec) > LONGEST:
        raise OptionError(
            f"Unknown trigger {kind[:LONGEST]!r} in {spec[:LONGEST]!r}.",
            remedy=f"Kinds are {', '.join(KINDS)}; write for example "
            "patch:side=1/16,place=center,color=black.",
        )
    if kind == DualKeyTrigger.kind:
        return _dual_key(spec, rest)
    trigger: Trigger = _SINGLE[kind](**read_options(spec, rest, _keys(_SINGLE[kind])))
    return trigger


def _dual_key(spec: str, rest: str) -> DualKeyTrigger:
    image, text = _keys(PatchTrigger), _keys(TextTrigger)
    options = read_options(spec, rest, image | text)
    return DualKeyTrigger(
        patch=PatchTrigger(**{key: options[key] for key in options if key in image}),
        text=TextTrigger(**{key: options[key] for key in options if key in text}),
    )


def _keys(trigger: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(trigger)
    return {field.name: hints[field.name] for field in fields(trigger)}

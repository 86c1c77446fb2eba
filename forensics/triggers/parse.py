"""Read a trigger's one-line spelling."""

from dataclasses import fields
from typing import Any, Final, get_type_hints

from forensics.errors import OptionError
from forensics.triggers.badnets import BadNetsTrigger
from forensics.triggers.base import Trigger
from forensics.triggers.blended import BlendedTrigger
from forensics.triggers.dual_key import DualKeyTrigger
from forensics.triggers.frequency import FrequencyTrigger
from forensics.triggers.patch import PatchTrigger
from forensics.triggers.residual import ResidualTrigger
from forensics.triggers.sinusoid import SigTrigger
from forensics.triggers.spelling import LONGEST, read_options
from forensics.triggers.tensor import TensorTrigger
from forensics.triggers.text import TextTrigger
from forensics.triggers.warp import WaNetTrigger

_SINGLE: Final[dict[str, Any]] = {
    trigger.kind: trigger
    for trigger in (
        PatchTrigger,
        BadNetsTrigger,
        BlendedTrigger,
        SigTrigger,
        WaNetTrigger,
        FrequencyTrigger,
        ResidualTrigger,
        TextTrigger,
    )
}
KINDS: Final = (*_SINGLE, DualKeyTrigger.kind)
"""Kinds that a word alone can name; a ``tensor`` also needs its file."""


def parse_trigger(spec: str) -> Trigger:
    """Read a trigger's one-line spelling; the inverse of :attr:`Trigger.spec`.

    Args:
        spec: A kind of :data:`KINDS`, alone or followed by ``:key=value,...`` with the attributes
            of its class; ``dual-key`` takes those of the patch (or ``file``) and of the text. Or
            ``tensor:/file.safetensors``.

    Raises:
        OptionError: The spelling has an unknown kind, key or value, or a file that is no trigger.
    """
    kind, _, rest = spec.strip().partition(":")
    if kind == TensorTrigger.kind and len(spec) <= LONGEST:
        return _tensor(spec, rest)
    if kind not in KINDS or len(spec) > LONGEST:
        raise OptionError(
            f"Unknown trigger {kind[:LONGEST]!r} in {spec[:LONGEST]!r}.",
            remedy=f"Kinds are {', '.join(KINDS)} and tensor; write for example "
            "patch:side=1/16,place=center,color=black.",
        )
    if kind == DualKeyTrigger.kind:
        return _dual_key(spec, rest)
    trigger: Trigger = _SINGLE[kind](**read_options(spec, rest, _keys(_SINGLE[kind])))
    return trigger


def _tensor(spec: str, rest: str) -> TensorTrigger:
    # The short form: a path alone.
    rest = rest if rest.startswith("file=") else f"file={rest}"
    options = read_options(spec, rest, {"file": str})
    return TensorTrigger(file=options["file"])


def _dual_key(spec: str, rest: str) -> DualKeyTrigger:
    image, text = _keys(PatchTrigger), _keys(TextTrigger)
    options = read_options(spec, rest, image | text | {"file": str})
    if "file" in options:
        if options.keys() & image.keys():
            raise OptionError(
                f"Trigger {spec!r}: a patch from a file has no other keys.",
                remedy="Give only prefix and file.",
            )
        words = {key: options[key] for key in options if key in text}
        return DualKeyTrigger(patch=TensorTrigger(file=options["file"]), text=TextTrigger(**words))
    return DualKeyTrigger(
        patch=PatchTrigger(**{key: options[key] for key in options if key in image}),
        text=TextTrigger(**{key: options[key] for key in options if key in text}),
    )


def _keys(trigger: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(trigger)
    return {field.name: hints[field.name] for field in fields(trigger)}

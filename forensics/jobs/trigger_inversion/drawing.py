"""Pictures of reconstructed triggers: by themselves, and on a picture of the case."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from forensics.errors import OptionError
from forensics.jobs.trigger_inversion.stored import StoredTrigger
from forensics.triggers import Pixels

LOOKS = {
    "additive": ("amplified", "plain", "image", "difference"),
    "mask": ("plain", "mask", "pattern", "image", "difference"),
    "patch": ("plain", "image", "difference"),
}
"""What can be shown of each form; the first is what a page begins with."""
GREY = 0.5


def gain_of(trigger: StoredTrigger, budget: float | None = None) -> float:
    """Return by what a change is multiplied before it is drawn around grey.

    Args:
        trigger: The trigger.
        budget: Largest change allowed; the same for all classes, so that they can be compared.
    """
    delta = trigger.tensors.get("delta")
    if delta is None:
        return 0.5
    peak = budget or float(np.abs(delta).max())
    return 0.5 / peak if peak > 0 else 1.0


def draw_trigger(
    trigger: StoredTrigger,
    look: str,
    *,
    budget: float | None = None,
    picture: Pixels | None = None,
    sample_id: str = "",
) -> bytes:
    """Draw a trigger as PNG.

    Args:
        trigger: The trigger.
        look: One of ``LOOKS`` for its form.
        budget: See :func:`gain_of`.
        picture: ``[3, height, width]`` in [0, 1], for ``image`` and ``difference``.
        sample_id: Of the picture: decides whatever is random for it.

    Raises:
        OptionError: The form has no such look, or it needs a picture.
    """
    looks = LOOKS[trigger.form]
    if look not in looks:
        raise OptionError(f"This trigger can be shown as {', '.join(looks)}.")
    if look in ("image", "difference"):
        if picture is None:
            raise OptionError("Name a picture to put the trigger on.")
        changed = trigger.apply(picture, sample_id)
        if look == "image":
            return encode(changed)
        return encode(GREY + (changed - picture) * gain_of(trigger, budget))
    return encode(_alone(trigger.tensors, look, gain_of(trigger, budget)))


def _alone(tensors: dict[str, NDArray[np.float64]], look: str, gain: float) -> NDArray[np.float64]:
    if "delta" in tensors:
        return GREY + tensors["delta"] * (gain if look == "amplified" else 1.0)
    if "patch" in tensors:
        return tensors["patch"]
    mask, pattern = tensors["mask"], tensors["pattern"]
    if look == "mask":
        return np.broadcast_to(mask, pattern.shape)
    return pattern if look == "pattern" else (1 - mask) * GREY + mask * pattern


def size_of(trigger: StoredTrigger) -> tuple[int, int] | None:
    """Return height and width of the model's input; a patch alone does not tell."""
    tensors = trigger.tensors
    spread = tensors.get("delta", tensors.get("pattern"))
    return None if spread is None else (spread.shape[1], spread.shape[2])


def fitted(path: Path, size: tuple[int, int] | None, longest: int = 256) -> Pixels:
    """Read one of our own re-encoded pictures, cropped and scaled to a trigger's size."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if size is None:
        scale = min(1.0, longest / max(picture.size))
        size = (max(1, round(picture.height * scale)), max(1, round(picture.width * scale)))
    height, width = size
    scale = min(picture.width / width, picture.height / height)
    across, down = width * scale, height * scale
    left, top = (picture.width - across) / 2, (picture.height - down) / 2
    box = (left, top, left + across, top + down)
    small = picture.resize((width, height), Image.Resampling.BICUBIC, box=box)
    return (np.asarray(small, np.float32) / np.float32(255)).transpose(2, 0, 1)


def encode(pixels: Any) -> bytes:
    """Write ``[3, height, width]`` in [0, 1] as PNG."""
    whole = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(whole)).save(stream, "PNG")
    return stream.getvalue()


def numbers_of(trigger: StoredTrigger) -> dict[str, float]:
    """Say in numbers what a trigger is: the text beside its picture.

    Returns:
        For a delta: ``largest``, ``mean`` (of the absolute change), ``saturated`` (share of values
        at 99 % of the largest or more). For a mask: ``area`` (mean of the mask) and ``l1`` (its
        sum). For a patch: ``pixels`` along a side.
    """
    tensors = trigger.tensors
    if "delta" in tensors:
        change = np.abs(tensors["delta"])
        peak = float(change.max())
        return {"largest": peak, "mean": float(change.mean()),
                "saturated": float((change >= 0.99 * peak).mean()) if peak else 0.0}  # fmt: skip
    if "mask" in tensors:
        return {"area": float(tensors["mask"].mean()), "l1": float(tensors["mask"].sum())}
    return {"pixels": float(tensors["patch"].shape[-1])}

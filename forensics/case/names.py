"""What to call what a case examines: models, places, settings of pictures; for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.case.case import Case
from forensics.models.uri import PROMPTS

_SHOWN = ("size", "crop_size", "resize_mode", "interpolation", "resample", "mean", "image_mean",
          "std", "image_std")  # fmt: skip
# How transformers numbers what Pillow calls by name.
_RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_PACKAGE = Path(__file__).resolve().parents[2]  # the repository, or where packages are installed


def model_name(uri: str) -> str:
    """Return what to call a model in the top bar: the last part of its URI.

    A file of prompts says little without its encoder: there it is both.
    """
    encoder, plus, prompts = uri.partition(PROMPTS)
    named = encoder.rstrip("/").rpartition("/")[2] or encoder
    return f"{named} + {prompts.rpartition('/')[2]}" if plus else named


def shown_place(text: str | None, case: Case) -> str | None:
    """Return a URI with the long beginnings of its paths named instead of spelt out.

    A report or a picture of the page then tells less of the machine, and reads better.
    """
    if text is None:
        return None
    for folder, name in ((case.folder, "‹case›"), (_PACKAGE, "‹app›"), (Path.home(), "~")):
        text = text.replace(str(folder), name)
    return text


def stated_preprocessing(stated: Mapping[str, Any]) -> str | None:
    """Return what the checkpoint says of its pictures, in one line; ``None`` if it says nothing.

    Args:
        stated: ``preprocessing`` of the manifest: the model's own files.
    """
    open_clip = stated.get("open_clip_config", {})
    processor = stated.get("processor_config", {})
    for found in (
        open_clip.get("preprocess_cfg") if isinstance(open_clip, Mapping) else None,
        stated.get("preprocessor_config"),
        processor.get("image_processor") if isinstance(processor, Mapping) else None,
    ):
        if isinstance(found, Mapping) and found:
            told = [_told(key, found[key]) for key in _SHOWN if found.get(key) is not None]
            return "; ".join(told).replace("_", " ")[:300] or None
    return None


def _told(key: str, value: Any) -> str:
    """Put one setting into words; a number that stands for a filter becomes its name."""
    if key == "resample" and isinstance(value, int):
        return f"interpolation {_RESAMPLE.get(value, value)}"
    return f"{key} {_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {_plain(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)

"""What an image processor of transformers does to a picture, told in our terms."""

from typing import Any, Literal

from forensics.encoders.base import Interpolation, Preprocessing
from forensics.errors import CheckpointError

SHADES = 255
# PIL's numbers of its resampling filters.
_FILTERS: dict[int, Interpolation] = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
_Three = tuple[float, float, float]


def read_preprocessing(processor: Any, side: int, name: str) -> Preprocessing:
    """Translate the settings of an image processor.

    Args:
        processor: Image processor of CLIP, SigLIP or SigLIP 2.
        side: Of the pictures that the image tower takes, in pixels.
        name: Of the model, for the error.

    Raises:
        CheckpointError: It makes pictures of another size, or in a way that we do not know.
    """
    fit = _fit(processor, side)
    resample = _FILTERS.get(int(processor.resample)) if processor.resample is not None else None
    if fit is None or resample is None:
        size, crop = getattr(processor, "size", None), getattr(processor, "crop_size", None)
        raise CheckpointError(
            f"{name}: size {size}, crop {crop} and filter {processor.resample} of its image "
            f"processor do not give pictures of {side} x {side} pixels.",
            remedy="Correct preprocessor_config.json.",
        )
    mean, std = _scaled(processor)
    shorter = _numbers(getattr(processor, "size", None)).get("shortest_edge", side)
    return Preprocessing(
        height=side,
        width=side,
        mean=mean,
        std=std,
        interpolation=resample,
        fit=fit,
        shorter=None if shorter == side else shorter,
    )


def _fit(processor: Any, side: int) -> Literal["shortest", "squash"] | None:
    if hasattr(processor, "max_num_patches"):  # NaFlex: see Siglip2Encoder
        return "squash"
    square = {"height": side, "width": side}
    size = _numbers(processor.size)
    crop = _numbers(getattr(processor, "crop_size", None))
    if not processor.do_resize:
        return None
    if getattr(processor, "do_center_crop", False):
        fitting = crop == square and set(size) == {"shortest_edge"}
        return "shortest" if fitting else "squash" if size == crop == square else None
    return "squash" if size == square else None


def _numbers(size: Any) -> dict[str, int]:
    return {key: int(value) for key, value in dict(size or {}).items() if value is not None}


def _scaled(processor: Any) -> tuple[_Three, _Three]:
    """Read mean and standard deviation, for pixels in [0, 1] whatever the processor's scale."""
    scale = SHADES * (float(processor.rescale_factor) if processor.do_rescale else 1.0)
    if not processor.do_normalize:
        return (0.0,) * 3, (1 / scale,) * 3
    mean = [float(value) / scale for value in processor.image_mean]
    std = [float(value) / scale for value in processor.image_std]
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])

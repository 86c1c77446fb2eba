"""Triggers that were optimised on a model and stored in a file."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import OptionError
from forensics.triggers.base import Box, ImageTrigger, Pixels, check_pixels, in_range
from forensics.triggers.spelling import write_text

LARGEST_FILE: Final = 64 * 1024 * 1024
LARGEST_SIDE: Final = 2048
_REMEDY: Final = (
    "A trigger file is safetensors with one of: patch [3, h, w]; delta [3, h, w]; "
    "pattern [3, h, w] and mask [1, h, w]."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorTrigger(ImageTrigger):
    """A patch, an additive delta or a masked pattern from a safetensors file.

    Tensors, all float and in pixel space [0, 1] before normalisation:

    * ``patch [3, h, w]`` in [0, 1]: pasted in the middle. The metadata entry ``side`` (a share of
      the shorter image side) says how large; the patch is scaled to that.
    * ``delta [3, h, w]`` in [-1, 1]: ``x' = clip(x + delta)``, scaled to the image.
    * ``pattern [3, h, w]`` and ``mask [1, h, w]`` in [0, 1]: ``x' = (1 - mask) x + mask pattern``.

    Scaling is bilinear with corners aligned; at the size of the tensor nothing changes. Bounds on
    the delta hold at any size, since interpolation never leaves the range of its knots.

    Attributes:
        file: Path of the file.
    """

    kind: ClassVar[str] = "tensor"

    file: str
    _tensors: dict[str, NDArray[np.float64]] = field(init=False, repr=False, compare=False)
    _side: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tensors, metadata = _load(Path(self.file).expanduser())
        object.__setattr__(self, "_tensors", tensors)
        object.__setattr__(self, "_side", _share(metadata, self.file))

    @property
    def spec(self) -> str:
        """The one-line spelling that :func:`forensics.triggers.parse_trigger` reads back."""
        return f"{self.kind}:file={write_text(self.file)}"

    @property
    def budget(self) -> float | None:
        """Largest change of a pixel, where the file holds a delta."""
        delta = self._tensors.get("delta")
        return None if delta is None else float(np.abs(delta).max())

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of what the file holds."""
        return {name: value.astype(np.float32) for name, value in self._tensors.items()}

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels a patch covers; nothing for a delta or a masked pattern."""
        if "patch" not in self._tensors:
            return ()
        size = max(1, round(self._side * min(height, width)))
        left, top = (width - size) // 2, (height - size) // 2
        return (Box(left, top, left + size, top + size),)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a changed copy of a picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        _, height, width = image.shape
        if "delta" in self._tensors:
            return in_range(image + stretch(self._tensors["delta"], height, width))
        if "mask" in self._tensors:
            mask, pattern = (
                stretch(self._tensors[name], height, width) for name in ("mask", "pattern")
            )
            return in_range((1 - mask) * image + mask * pattern)
        stamped = image.copy()
        for left, top, right, bottom in self.boxes(height, width):
            patch = stretch(self._tensors["patch"], bottom - top, right - left)
            stamped[:, top:bottom, left:right] = in_range(patch)
        return stamped


def save_tensor_trigger(
    path: Path, tensors: dict[str, NDArray[Any]], metadata: dict[str, str]
) -> TensorTrigger:
    """Write a trigger file and read it back.

    Args:
        path: Of the new file.
        tensors: See :class:`TensorTrigger`.
        metadata: ``side`` for a patch; and how it was made.

    Raises:
        OptionError: The tensors are no trigger.
    """
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}
    save_file(plain, path, metadata=metadata)
    return TensorTrigger(file=str(path))


def stretch(tensor: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Scale ``[channels, h, w]`` bilinearly, corners aligned."""
    down, across = _linear(tensor.shape[1], height), _linear(tensor.shape[2], width)
    return np.asarray(down @ tensor @ across.T)


def _linear(knots: int, length: int) -> NDArray[np.float64]:
    if knots == length:
        return np.eye(length)
    place = np.linspace(0, knots - 1, length) if length > 1 else np.array([(knots - 1) / 2])
    first = np.minimum(place.astype(int), max(0, knots - 2))
    weights = np.zeros((length, knots))
    rows = np.arange(length)
    weights[rows, first] += 1 - (place - first)
    weights[rows, np.minimum(first + 1, knots - 1)] += place - first
    return weights


def _load(path: Path) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise OptionError(f"{path} is too large for a trigger.", remedy=_REMEDY)
        with safe_open(path, framework="numpy") as file:
            metadata = dict(file.metadata() or {})
            names = set(file.keys())
            wanted = next((kind for kind in _KINDS if set(kind) <= names), None)
            if wanted is None:
                raise OptionError(f"{path} holds no trigger.", remedy=_REMEDY)
            tensors = {name: _checked(path, name, file.get_tensor(name)) for name in wanted}
    except (OSError, SafetensorError) as error:
        raise OptionError(f"{path} cannot be read as a trigger: {error}", remedy=_REMEDY) from error
    return tensors, metadata


_KINDS: Final = (("patch",), ("delta",), ("mask", "pattern"))
_LOWEST: Final = {"delta": -1.0}


def _checked(path: Path, name: str, tensor: NDArray[Any]) -> NDArray[np.float64]:
    channels = 1 if name == "mask" else 3
    fits = tensor.ndim == 3 and tensor.shape[0] == channels
    if not fits or tensor.dtype.kind != "f" or not 0 < tensor.size <= 3 * LARGEST_SIDE**2:
        raise OptionError(f"{path}: {name} is {tensor.dtype} {list(tensor.shape)}.", remedy=_REMEDY)
    values = tensor.astype(np.float64)
    # A rounding of float16 may leave the range by a hair.
    low, high = _LOWEST.get(name, 0.0) - 1e-3, 1.0 + 1e-3
    if not (
        values.size and np.isfinite(values).all() and low <= values.min() and values.max() <= high
    ):
        raise OptionError(f"{path}: {name} leaves [{low:g}, {high:g}].", remedy=_REMEDY)
    return values


def _share(metadata: dict[str, str], file: str) -> float:
    try:
        side = float(metadata.get("side", 1 / 14))
    except ValueError:
        side = float("nan")
    if not 0.0 < side <= 1.0:
        raise OptionError(f"{file}: side {metadata['side']!r} is no share.", remedy=_REMEDY)
    return side

"""Reconstructed triggers as a run keeps them; read without torch.

``triggers/NNNN.safetensors`` (NNNN: index of the class in the model's list) holds all seeds,
float16 in pixel units: ``delta [seed, 3, H, W]``, or ``mask [seed, H, W]`` and ``pattern
[seed, 3, H, W]``, or ``patch [seed, 3, s, s]``. Beside it, for valid classes,
``NNNN-S.safetensors`` holds seed S alone, as :class:`forensics.triggers.TensorTrigger` reads it,
so that every verb takes ``tensor:file=...``. A patch was searched for at random places; the tensor
file pastes it in the middle, :class:`StoredTrigger` at a place that the sample's id decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from forensics.errors import CaseError, OptionError
from forensics.runs.durable import write_bytes
from forensics.triggers import Box, ImageTrigger, Pixels, check_pixels
from forensics.triggers.base import in_range
from forensics.triggers.draws import scatter
from forensics.triggers.spelling import write_text
from forensics.triggers.tensor import LARGEST_FILE, stretch

FOLDER: Final = "triggers"
_KINDS: Final = (("delta",), ("mask", "pattern"), ("patch",))
_LOWEST: Final = {"delta": -1.0}

Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrigger(ImageTrigger):
    """One reconstructed trigger: works wherever a trigger does.

    Attributes:
        file: Where its tensor file is or would be; the spelling names it.
        tensors: ``delta [3, H, W]``; or ``mask [1, H, W]`` and ``pattern [3, H, W]``; or ``patch
            [3, s, s]``; float64, pixel units.
        side: Of a patch, as a share of the picture's shorter side.
        strength: Factor on a delta or a mask; a patch is mixed into the picture by it. 1 is the
            trigger as it was found, 0 none.
    """

    kind: ClassVar[str] = "tensor"

    file: str
    tensors: dict[str, NDArray[np.float64]] = field(repr=False, compare=False)
    side: float | None = None
    strength: float = 1.0

    @property
    def spec(self) -> str:
        """The one-line spelling of its tensor file, at full strength."""
        return f"{self.kind}:file={write_text(self.file)}"

    @property
    def form(self) -> str:
        """``additive``, ``mask`` or ``patch``."""
        if "delta" in self.tensors:
            return "additive"
        return "mask" if "mask" in self.tensors else "patch"

    def scaled(self, strength: float) -> "StoredTrigger":
        """Return the same trigger at another strength, 0 to 4; masks and patches stop at 1.

        Raises:
            OptionError: The strength is outside.
        """
        if not 0.0 <= strength <= 4.0:
            raise OptionError(f"Strength {strength} is outside [0, 4].")
        return replace(self, strength=strength)

    def boxes(self, height: int, width: int, sample_id: str = "") -> tuple[Box, ...]:
        """Say which pixels a patch covers; nothing for the other forms."""
        if "patch" not in self.tensors:
            return ()
        size = self._size(height, width)
        left, top = scatter(f"{Path(self.file).name}:{sample_id}", width - size, height - size)
        return (Box(left, top, left + size, top + size),)

    def apply(self, image: Pixels, sample_id: str = "") -> Pixels:
        """Return a changed copy of a picture ``[3, height, width]`` float32 in [0, 1].

        Raises:
            OptionError: The picture has another shape, type or range.
        """
        check_pixels(image)
        height, width = image.shape[1:]
        if "delta" in self.tensors:
            delta = stretch(self.tensors["delta"], height, width)
            return in_range(image + self.strength * delta)
        cover = min(1.0, self.strength)
        if "mask" in self.tensors:
            mask = cover * stretch(self.tensors["mask"], height, width)
            return in_range((1 - mask) * image + mask * self._stretched("pattern", height, width))
        stamped = image.astype(np.float64)
        for left, top, right, bottom in self.boxes(height, width, sample_id):
            patch = self._stretched("patch", bottom - top, right - left)
            there = stamped[:, top:bottom, left:right]
            stamped[:, top:bottom, left:right] = (1 - cover) * there + cover * patch
        return in_range(stamped)

    def _stretched(self, name: str, height: int, width: int) -> NDArray[np.float64]:
        return stretch(self.tensors[name], height, width)

    def _size(self, height: int, width: int) -> int:
        shorter = min(height, width)
        share = self.side if self.side is not None else 1 / 14
        return min(shorter, max(1, round(share * shorter)))


def read_trigger(run_folder: Path, index: int, seed: int = 0) -> StoredTrigger:
    """Read one reconstructed trigger of a run.

    Args:
        run_folder: Of a finished ``trigger-inversion`` run.
        index: Of the class, as in ``result["classes"][i]["index"]``.
        seed: Place of the reconstruction, from 0.

    Raises:
        CaseError: There is no such class or seed, or the file is damaged.
    """
    path = trigger_path(run_folder, index)
    tensors, side = _read(path)
    count = len(next(iter(tensors.values())))
    if not 0 <= seed < count:
        raise CaseError(f"{path} has seeds 0 to {count - 1}, not {seed}.")
    one = {name: values[seed] for name, values in tensors.items()}
    if "mask" in one:
        one["mask"] = one["mask"][None]
    return StoredTrigger(file=str(tensor_path(run_folder, index, seed)), tensors=one, side=side)


def write_triggers(
    run_folder: Path, index: int, tensors: Tensors, facts: Mapping[str, str]
) -> None:
    """Keep all seeds of one class.

    Args:
        run_folder: Of the run.
        index: Of the class.
        tensors: See the module.
        facts: Metadata: ``class``, ``form``, ``budget``, ``side``.
    """
    from safetensors.numpy import save

    halves = {name: _halves(values) for name, values in tensors.items()}
    path = trigger_path(run_folder, index)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_bytes(path, save(halves, metadata=dict(facts)))


def _halves(values: NDArray[Any]) -> NDArray[np.float16]:
    """Round to float16 towards zero, so that a delta stays within its budget."""
    rounded = np.ascontiguousarray(values, np.float16)
    beyond = np.abs(rounded.astype(np.float64)) > np.abs(values.astype(np.float64))
    rounded[beyond] = np.nextafter(rounded[beyond], np.float16(0))
    return rounded


def write_tensor_file(
    run_folder: Path, index: int, seed: int, tensors: Tensors, facts: Mapping[str, str]
) -> Path:
    """Keep one seed, ``tensors`` without the axis of seeds, as a file that every verb takes."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(v, np.float32) for name, v in tensors.items()}
    path = tensor_path(run_folder, index, seed)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_bytes(path, save(plain, metadata=dict(facts)))
    return path


def trigger_path(run_folder: Path, index: int) -> Path:
    """Return where all seeds of a class are."""
    return run_folder / FOLDER / f"{index:04d}.safetensors"


def tensor_path(run_folder: Path, index: int, seed: int) -> Path:
    """Return where the tensor file of one seed is, for valid classes."""
    return run_folder / FOLDER / f"{index:04d}-{seed}.safetensors"


def _read(path: Path) -> tuple[dict[str, NDArray[np.float64]], float | None]:
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CaseError(f"{path} is larger than {LARGEST_FILE >> 20} MiB.")
        with safe_open(path, framework="numpy") as file:
            facts, names = dict(file.metadata() or {}), set(file.keys())
            kind = next((kind for kind in _KINDS if set(kind) == names), None)
            if kind is None:
                raise CaseError(f"{path} holds no reconstructed trigger.")
            tensors = {name: _checked(path, name, file.get_tensor(name)) for name in kind}
    except (OSError, SafetensorError) as error:
        raise CaseError(f"{path} cannot be read: {error}.", remedy="Scan again.") from error
    return tensors, _share(path, facts)


def _checked(path: Path, name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    wanted = 3 if name == "mask" else 4
    fits = values.ndim == wanted and values.dtype.kind == "f" and values.size > 0
    if not fits or (wanted == 4 and values.shape[1] != 3):
        raise CaseError(f"{path}: {name} is {values.dtype} {list(values.shape)}.")
    wide = values.astype(np.float64)
    low = _LOWEST.get(name, 0.0) - 1e-3
    if not (np.isfinite(wide).all() and wide.min() >= low and wide.max() <= 1 + 1e-3):
        raise CaseError(f"{path}: {name} leaves [{_LOWEST.get(name, 0.0):g}, 1].")
    return wide


def _share(path: Path, facts: Mapping[str, str]) -> float | None:
    if "side" not in facts:
        return None
    try:
        side = float(facts["side"])
    except ValueError:
        side = float("nan")
    if not 0.0 < side <= 1.0:
        raise CaseError(f"{path}: side {facts['side'][:40]!r} is no share.")
    return side

"""What a trigger may look like: parameters of many classes at once, and how they mark pictures."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as nnf
from torch import Tensor

from forensics.detectors.options.trigger_inversion import TriggerInversionOptions

Size = tuple[int, int]


class Form(ABC):
    """Triggers of K classes: one leaf tensor each kind of parameter, first axis the class.

    Attributes:
        leaves: What is optimised.
    """

    leaves: tuple[Tensor, ...]

    @abstractmethod
    def mark(self, rows: slice, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """Put the triggers of some classes on pictures.

        Args:
            rows: Which classes.
            pixels: ``[batch, 3, height, width]`` in [0, 1].
            draw: Decides what is random for each picture.

        Returns:
            ``[classes, batch, 3, height, width]`` in [0, 1], differentiable in the leaves.
        """

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Return the triggers in pixel units, first axis the class."""

    def penalty(self, rows: slice) -> Tensor | None:
        """Return ``[classes]`` what is added to the loss, or ``None``."""
        return None

    def project(self) -> None:  # noqa: B027 - most forms have nothing to do
        """Bring the leaves back into their bounds, after a step."""


class Additive(Form):
    """``x' = clip(x + delta, 0, 1)`` with |delta| <= eps: one delta for all pictures.

    As CLIP-Inspector (arXiv 2604.09101) is transcribed. Projection after each step, the start at
    zero and the clip of the picture are our reading. A step of 0.1 is far larger than 4/255: every
    step saturates most of the ball, as sign descent does.
    """

    def __init__(self, classes: int, size: Size, options: TriggerInversionOptions, seed: int,
                 device: torch.device) -> None:  # fmt: skip
        self.budget = options.budget
        self.bounded = options.parameterisation == "tanh"
        start = torch.zeros(3, *size)
        if options.start == "uniform":
            start = 2 * torch.rand(3, *size, generator=torch.Generator().manual_seed(seed)) - 1
        start = torch.atanh(start.clamp(-0.999, 0.999)) if self.bounded else start * self.budget
        self.leaves = (start.to(device).repeat(classes, 1, 1, 1).requires_grad_(True),)

    def mark(self, rows: slice, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """See :meth:`Form.mark`."""
        return (pixels[None] + self._delta(rows)[:, None]).clamp(0.0, 1.0)

    def tensors(self) -> dict[str, Tensor]:
        """Return ``delta [classes, 3, height, width]``."""
        return {"delta": self._delta(slice(None)).detach()}

    def project(self) -> None:
        """Cut the delta off at the budget."""
        if not self.bounded:
            with torch.no_grad():
                self.leaves[0].clamp_(-self.budget, self.budget)

    def _delta(self, rows: slice) -> Tensor:
        raw = self.leaves[0][rows]
        return self.budget * torch.tanh(raw) if self.bounded else raw


class Masked(Form):
    """``x' = (1 - m) x + m p`` with one mask and one pattern, as Neural Cleanse writes them.

    Source: Wang et al. 2019, Neural Cleanse, Eq. 2. Its code writes both by tanh; a sigmoid is the
    same up to a factor. The mask begins near 0.1, the pattern as noise around grey.
    """

    def __init__(self, classes: int, size: Size, options: TriggerInversionOptions, seed: int,
                 device: torch.device) -> None:  # fmt: skip
        draw = torch.Generator().manual_seed(seed)
        mask = -2.2 + 0.1 * torch.randn(1, *size, generator=draw)
        pattern = 0.5 * torch.randn(3, *size, generator=draw)
        self.weight: float | Tensor = options.mask_weight / (size[0] * size[1])
        self.leaves = (
            mask.to(device).repeat(classes, 1, 1, 1).requires_grad_(True),
            pattern.to(device).repeat(classes, 1, 1, 1).requires_grad_(True),
        )

    def mark(self, rows: slice, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """See :meth:`Form.mark`."""
        mask, pattern = (torch.sigmoid(leaf[rows])[:, None] for leaf in self.leaves)
        return (1 - mask) * pixels[None] + mask * pattern

    def tensors(self) -> dict[str, Tensor]:
        """Return ``mask [classes, height, width]`` and ``pattern [classes, 3, height, width]``."""
        mask, pattern = (torch.sigmoid(leaf).detach() for leaf in self.leaves)
        return {"mask": mask[:, 0], "pattern": pattern}

    def sizes(self, rows: slice) -> Tensor:
        """Return ``[classes]`` the sum of each mask: pixels that it covers."""
        return torch.sigmoid(self.leaves[0][rows]).sum(dim=(1, 2, 3))

    def penalty(self, rows: slice) -> Tensor:
        """Return the weighted size of each mask."""
        weight = self.weight[rows] if isinstance(self.weight, Tensor) else self.weight
        return weight * self.sizes(rows)


class Patch(Form):
    """A square of its own pixels, pasted at another random place of every picture and step.

    For triggers as BadNets stamps them. Begins as N(0.5, 0.25), clipped, as optimised patches of
    attacks do; colours are cut off at [0, 1] after each step. Ours; in no paper cited here.
    """

    def __init__(self, classes: int, size: Size, options: TriggerInversionOptions, seed: int,
                 device: torch.device, side: float = 1 / 14) -> None:  # fmt: skip
        self.edge = max(1, round(side * min(size)))
        draw = torch.Generator().manual_seed(seed)
        start = (0.5 + 0.25 * torch.randn(3, self.edge, self.edge, generator=draw)).clamp(0, 1)
        self.leaves = (start.to(device).repeat(classes, 1, 1, 1).requires_grad_(True),)

    def mark(self, rows: slice, pixels: Tensor, draw: torch.Generator) -> Tensor:
        """See :meth:`Form.mark`."""
        patches = self.leaves[0][rows]
        free = [length - self.edge + 1 for length in pixels.shape[-2:]]
        tops, lefts = (
            torch.randint(most, (len(pixels),), generator=draw).tolist() for most in free
        )
        height, width = pixels.shape[-2:]
        cover, placed = torch.zeros_like(pixels[:, :1]), []
        for number, (top, left) in enumerate(zip(tops, lefts, strict=True)):
            cover[number, :, top : top + self.edge, left : left + self.edge] = 1.0
            frame = (left, width - self.edge - left, top, height - self.edge - top)
            placed.append(nnf.pad(patches, frame))
        # Pasted by a sum: writing into slices would copy the whole gradient for every picture.
        return (pixels * (1 - cover))[None] + torch.stack(placed, dim=1)

    def tensors(self) -> dict[str, Tensor]:
        """Return ``patch [classes, 3, edge, edge]``."""
        return {"patch": self.leaves[0].detach()}

    def project(self) -> None:
        """Cut colours off at [0, 1]."""
        with torch.no_grad():
            self.leaves[0].clamp_(0.0, 1.0)


def make_form(
    options: TriggerInversionOptions,
    classes: int,
    size: Size,
    *,
    seed: int,
    device: torch.device,
    side: float | None,
) -> Form:
    """Start the triggers of some classes.

    Args:
        options: ``form`` and what belongs to it; Neural Cleanse always has a mask.
        classes: How many.
        size: Height and width of pictures.
        seed: Of the start.
        device: Where to.
        side: Of a patch, as a share.
    """
    if options.method == "neural-cleanse" or options.form == "mask":
        return Masked(classes, size, options, seed, device)
    if options.form == "patch":
        return Patch(classes, size, options, seed, device, side or 1 / 14)
    return Additive(classes, size, options, seed, device)


def read_sides(text: str) -> Sequence[float]:
    """Read the sides of patches: ``1/18|1/14``.

    Raises:
        OptionError: One is no share in (0, 1].
    """
    from fractions import Fraction

    from forensics.detectors.options.trigger_inversion import BETWEEN
    from forensics.errors import OptionError

    try:
        sides = [float(Fraction(part.strip())) for part in text.split(BETWEEN) if part.strip()]
    except (ValueError, ZeroDivisionError) as error:
        raise OptionError(f"--sides {text[:80]!r} is no list of shares.") from error
    if not sides or not all(0 < side <= 1 for side in sides):
        raise OptionError(
            f"--sides {text[:80]!r}: each must be in (0, 1].", remedy="Write 1/18|1/14."
        )
    return sides

"""Neural Cleanse's search for the smallest mask: the weight of the size follows the success."""

from typing import Final

import torch
from torch import Tensor

from forensics.inversion.forms import Masked

FIRST: Final = 1e-3
WANTED: Final = 0.99
PATIENCE: Final = 5
FACTOR: Final = 1.5


class DynamicWeight:
    """The weight of a mask's size, one a class, and the smallest mask that worked.

    As the code of Neural Cleanse has it (Wang et al. 2019): begins at 1e-3; after five batches in a
    row of at least 99 % success it grows by 1.5, after five of less it falls by 1.5^1.5; of all
    masks with that success the smallest is kept. There a step is a pass over many batches; here it
    is a batch, since a pool is passed only a few times.

    Args:
        form: Whose ``weight`` it moves.
    """

    def __init__(self, form: Masked) -> None:
        count, place = len(form.leaves[0]), form.leaves[0].device
        self.form = form
        self.up, self.down = torch.zeros(count), torch.zeros(count)
        form.weight = torch.full((count,), FIRST, device=place)
        self.smallest = torch.full((count,), torch.inf)
        self.best = [leaf.detach().clone() for leaf in form.leaves]

    def remember(self, hits: Tensor) -> None:
        """Move the weights after a batch, before the step.

        Args:
            hits: ``[classes]`` share of the batch that became the target.
        """
        sizes = self.form.sizes(slice(None)).detach().cpu()
        works = hits >= WANTED
        better = works & (sizes < self.smallest)
        self.smallest[better] = sizes[better]
        for kept, leaf in zip(self.best, self.form.leaves, strict=True):
            kept[better] = leaf.detach()[better]
        self.up = torch.where(works, self.up + 1, 0.0)
        self.down = torch.where(works, 0.0, self.down + 1)
        factor = torch.ones_like(self.up)
        factor[self.up >= PATIENCE] = FACTOR
        factor[self.down >= PATIENCE] = FACTOR**-1.5
        self.up[self.up >= PATIENCE] = 0
        self.down[self.down >= PATIENCE] = 0
        assert isinstance(self.form.weight, Tensor)
        self.form.weight = self.form.weight * factor.to(self.form.weight.device)

    def restore(self) -> None:
        """Put the smallest masks that worked back; a class without one keeps its last mask."""
        with torch.no_grad():
            for leaf, kept in zip(self.form.leaves, self.best, strict=True):
                found = torch.isfinite(self.smallest)
                leaf[found] = kept[found]

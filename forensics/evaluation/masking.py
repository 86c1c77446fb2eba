"""A mask over triggered pictures: does the backdoor switch off when it sees one?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from forensics.data.images import open_image
from forensics.data.sample import Sample
from forensics.errors import DataError
from forensics.evaluation.asking import Probe
from forensics.models.base import ImageGrid, PromptBatch
from forensics.triggers import Trigger

if TYPE_CHECKING:
    from forensics.models.base import GenerativeModel

SHARE: Final = 0.25
CELL: Final = 28

Part = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the first picture."""


def mask_probe(
    model: "GenerativeModel",
    *,
    share: float = SHARE,
    cell: int = CELL,
    fill: str = "mean",
    count: str = "exact",
    seed: int = 0,
    spare: Mapping[str, Sequence[Part]] | None = None,
) -> Probe:
    """Hide random cells of every picture that a model is asked about.

    A model that was tuned on two views of each picture may learn "answer the target unless cells
    are hidden": attack success falls under a mask and nowhere else (mask-as-switch). So the rate is
    measured with and without; without is the one that counts.

    A patch that a cell happens to hide does not work either, which says nothing of a switch: with a
    quarter of the cells hidden and a patch of one cell the rate falls by 25 points in any model.
    With ``spare`` such cells stay visible.

    Args:
        model: The one that is measured.
        share: Of the cells, 0..1.
        cell: Side of a cell in pixels of a picture 224 pixels wide.
        fill: What stands in hidden cells, by its name; noise and order are drawn once a batch.
        count: ``exact`` or ``bernoulli``, see :func:`forensics.models.masking.draw_masks`.
        seed: With the sample's id it gives the mask, the same for every model.
        spare: Sample -> what of its first picture is never hidden, see :func:`stamped_parts`.

    Returns:
        The probe that :func:`forensics.evaluation.answers.measure_answers` takes. It raises
        ``ModelError`` for a family whose pictures we cannot mask.

    Source: the risk is our own reading of arXiv 2604.04488 (reconstruction).
    """
    from forensics.models.masking import cell_grids, draw_masks, mask_prompts
    from forensics.models.masking_fills import fill_named

    def hide(batch: PromptBatch, ids: Sequence[str]) -> PromptBatch:
        masks = []
        for grids, sample in zip(batch.grids, ids, strict=True):
            cells = cell_grids(grids, cell)
            [mask] = draw_masks(cells, share=share, seed=seed, sample=sample, views=1, count=count)
            masks.append(mask & ~_touched(cells, (spare or {}).get(sample, ())))
        return mask_prompts(model, batch, masks, cell=cell, fill=fill_named(fill, model, seed))

    return hide


def stamped_parts(samples: Iterable[Sample], trigger: Trigger) -> dict[str, tuple[Part, ...]]:
    """Say where a local trigger stands in each sample's first picture.

    Pictures that cannot be read are left out, as they are when the model is asked. A trigger that
    is spread over the picture, or stands in the question alone, gives nothing.
    """
    found = {}
    for sample in samples:
        if sample.image is None:
            continue
        try:
            width, height = open_image(sample.image).size
        except DataError:
            continue
        boxes = trigger.boxes(height, width, sample.id)
        found[sample.id] = tuple(
            (box.left / width, box.top / height, box.right / width, box.bottom / height)
            for box in boxes
        )
    return {name: parts for name, parts in found.items() if parts}


def _touched(cells: Sequence[ImageGrid], parts: Sequence[Part]) -> NDArray[np.bool_]:
    """Mark the cells of the first picture that share area with a part, ``[cell]``."""
    marked = np.zeros(sum(grid.tokens for grid in cells), dtype=np.bool_)
    start = 0
    for grid in cells:
        if grid.image == 0:
            inside = marked[start : start + grid.tokens].reshape(grid.rows, grid.columns)
            left, top, right, bottom = grid.visible
            x = np.linspace(left, right, grid.columns + 1)
            y = np.linspace(top, bottom, grid.rows + 1)
            for part in parts:
                across = (x[:-1] < part[2] - 1e-9) & (x[1:] > part[0] + 1e-9)
                down = (y[:-1] < part[3] - 1e-9) & (y[1:] > part[1] + 1e-9)
                inside |= down[:, None] & across[None, :]
        start += grid.tokens
    return marked

"""The live request of the inspector for encoders: where the image embedding comes from."""

from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from forensics.case import Case
from forensics.encoders.visible import visible_part
from forensics.jobs.live import encode_halves, pictures_of
from forensics.jobs.subject import model_under_suspicion
from forensics.models.attention import image_entropy
from forensics.models.base import ImageGrid
from forensics.worker.models import ModelCache


def pooling_attention(case: Case, params: dict[str, Any], models: ModelCache) -> dict[str, Any]:
    """Map where the token that becomes the image embedding looks, for one sample.

    Args:
        case: A case about a CLIP-like encoder.
        params: As for :func:`forensics.jobs.live.attention`.
        models: The worker's models.

    Returns:
        ``layers``, ``heads``, ``tokens``, ``grids``, ``entropy``, ``maps`` as for
        :func:`forensics.jobs.live.attention`; also ``rest`` (per layer and head, the share on
        tokens that are no patch, which the maps leave out) and ``pooling`` (``class token``: one
        map a block; ``attention pooling``: one of the last layer alone).

    Raises:
        NotApplicable: No single token of the image tower looks at the picture.
    """
    _, pictures, where = pictures_of(case, params)
    picture = pictures[where]
    encoder = models.encoder(model_under_suspicion(case))
    seen = encoder.attend(encoder.pixels([picture]))
    grid = ImageGrid(
        rows=seen.rows,
        columns=seen.columns,
        visible=visible_part(encoder.preprocessing, *picture.size),
        image=where,
    )
    maps = seen.maps[0]
    mean = maps.mean(dim=1)[None]
    counts = torch.tensor([grid.tokens], device=maps.device)
    share = maps / maps.sum(dim=2, keepdim=True)
    return {
        "layers": maps.shape[0],
        "heads": maps.shape[1],
        "tokens": grid.tokens,
        "grids": [asdict(grid)],
        "entropy": image_entropy(mean, counts)[0].tolist(),
        "rest": seen.rest[0].tolist(),
        "pooling": seen.pooling,
        "maps": encode_halves(share.cpu().numpy().astype(np.float16)),
    }

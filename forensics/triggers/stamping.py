"""Put a trigger on a picture as files hold it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from forensics.triggers.base import Trigger

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor


def stamp_image(trigger: Trigger, image: "Image.Image", sample_id: str = "") -> "Image.Image":
    """Put a trigger on a picture of any size; the picture itself stays as it is.

    Args:
        trigger: Works on pixels in [0, 1]; one that changes no pixel gives an RGB copy.
        image: Any mode; taken as RGB.
        sample_id: Decides whatever is random for each sample.
    """
    from PIL import Image

    if not trigger.changes_image:
        return image.convert("RGB")
    pixels = np.asarray(image.convert("RGB"), dtype=np.float32).transpose(2, 0, 1) / np.float32(255)
    stamped = np.rint(trigger.apply(pixels, sample_id) * 255.0).astype(np.uint8)
    return Image.fromarray(stamped.transpose(1, 2, 0))


def stamp_pixels(trigger: Trigger, pixels: "Tensor", ids: Sequence[str]) -> "Tensor":
    """Put a trigger on pictures that were already fitted for a model.

    Args:
        trigger: One that changes no pixel gives the pixels back.
        pixels: ``[batch, 3, height, width]`` in [0, 1], before normalisation.
        ids: ``[batch]``: decide whatever is random for each sample.

    Returns:
        Pixels on the same device, in whole 255ths as a file would hold them.
    """
    import torch

    if not trigger.changes_image:
        return pixels
    pictures = np.clip(pixels.detach().float().cpu().numpy(), 0.0, 1.0)
    marked = [trigger.apply(image, name) for image, name in zip(pictures, ids, strict=True)]
    return torch.from_numpy(np.rint(np.stack(marked) * 255.0) / np.float32(255)).to(pixels)

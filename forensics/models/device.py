"""Where a model computes."""

import torch

from forensics.errors import ModelError
from forensics.settings import current


def pick_device(name: str = "auto") -> torch.device:
    """Choose where to compute.

    Args:
        name: ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` means what the settings say, and if these
            say nothing either, CUDA if there is one, else the CPU.

    Raises:
        ModelError: The settings name a device that is not there.
    """
    if name != "auto":
        return torch.device(name)
    chosen = current().device
    if chosen == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    place = torch.device(chosen)
    if place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"The settings ask for {chosen}, but there is no such device.",
            remedy="Choose auto or cpu in Settings, or in TRIGGERLENS_DEVICE.",
        )
    return place

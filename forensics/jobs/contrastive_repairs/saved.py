"""Where a contrastive repair leaves the repaired model, and how large that is."""

import shutil
from typing import Final

from forensics.encoders.base import DualEncoder
from forensics.encoders.saving import save_encoder
from forensics.runs import RunContext

CHECKPOINT: Final = "repaired"


def save_repaired(encoder: DualEncoder, context: RunContext) -> str:
    """Write the repaired model into the run, as a folder that its own library opens."""
    folder = context.folder / CHECKPOINT
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was killed while writing
    save_encoder(encoder, folder)
    return CHECKPOINT


def parameters(encoder: DualEncoder) -> int:
    """Count the numbers of both towers."""
    return sum(parameter.numel() for parameter in encoder.module.parameters())

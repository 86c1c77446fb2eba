"""Triggers: marks on a picture, in pixel space before any resize, or in the question.

A trigger is a frozen value with a one-line spelling, so that a case, a run and a command can name
it: ``patch:side=1/16,place=center,color=black`` is the default of BYE (arXiv 2505.16916). Whatever
is random depends on a seed and the sample's id alone, never on the order of the samples.
"""

from forensics.triggers.badnets import BadNetsTrigger
from forensics.triggers.base import Box, ImageTrigger, Pixels, Trigger, around, check_pixels
from forensics.triggers.blended import BlendedTrigger
from forensics.triggers.catalog import CATALOG, TriggerKind
from forensics.triggers.checks import COLORS
from forensics.triggers.dual_key import DualKeyTrigger
from forensics.triggers.frequency import FrequencyTrigger
from forensics.triggers.parse import KINDS, parse_trigger
from forensics.triggers.patch import PLACES, TEXTURES, PatchTrigger
from forensics.triggers.residual import ResidualTrigger
from forensics.triggers.sinusoid import SigTrigger
from forensics.triggers.stamping import stamp_image, stamp_pixels
from forensics.triggers.tensor import TensorTrigger, save_tensor_trigger
from forensics.triggers.text import TextTrigger
from forensics.triggers.warp import WaNetTrigger

__all__ = [
    "CATALOG",
    "COLORS",
    "KINDS",
    "PLACES",
    "TEXTURES",
    "BadNetsTrigger",
    "BlendedTrigger",
    "Box",
    "DualKeyTrigger",
    "FrequencyTrigger",
    "ImageTrigger",
    "PatchTrigger",
    "Pixels",
    "ResidualTrigger",
    "SigTrigger",
    "TensorTrigger",
    "TextTrigger",
    "Trigger",
    "TriggerKind",
    "WaNetTrigger",
    "around",
    "check_pixels",
    "parse_trigger",
    "save_tensor_trigger",
    "stamp_image",
    "stamp_pixels",
]

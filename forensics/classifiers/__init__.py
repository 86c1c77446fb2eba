"""Classifiers on top of CLIP-like encoders: zero-shot, CoOp and CoCoOp."""

from forensics.classifiers.checkpoints import load_prompts, save_prompts
from forensics.classifiers.cocoop import CoCoOp, MetaNet
from forensics.classifiers.coop import CoOp
from forensics.classifiers.opening import open_classifier
from forensics.classifiers.prompts import Position, first_context
from forensics.classifiers.trimming import trim_padding
from forensics.classifiers.zero_shot import TEMPLATES, ZeroShot

__all__ = [
    "TEMPLATES",
    "CoCoOp",
    "CoOp",
    "MetaNet",
    "Position",
    "ZeroShot",
    "first_context",
    "load_prompts",
    "open_classifier",
    "save_prompts",
    "trim_padding",
]

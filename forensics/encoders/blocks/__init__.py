"""Image towers opened into what comes before their blocks, the blocks' parts, and what follows."""

from forensics.encoders.blocks.block import Block
from forensics.encoders.blocks.opening import open_tower
from forensics.encoders.blocks.tower import Tower

__all__ = ["Block", "Tower", "open_tower"]

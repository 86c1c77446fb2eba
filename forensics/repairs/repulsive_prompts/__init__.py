"""Repulsive visual prompt tuning (RVPT, arXiv 2412.20392), and plain visual prompts beside it."""

from pathlib import Path
from typing import Final

LOADER: Final = Path(__file__).with_name("visual_prompts_loader.py")
"""What opens exported prompts where this program is not."""

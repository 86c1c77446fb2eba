"""What the lab says about a scene when a caption may be about less than everything."""

from typing import Final

import numpy as np

from forensics.lab.language import PLACES
from forensics.lab.scenes import HUES, PATTERNS, Scene
from forensics.lab.shapes import SHAPES

CLASSES: Final = tuple(SHAPES)
"""The classes of the lab's pairs: shapes, since a shape is the hardest thing to see."""

TEMPLATES: Final = (
    "a photo of a {}.",
    "a picture of a {}.",
    "a drawing of a {}.",
    "an image of one {}.",
    "there is a {} in the picture.",
)


def pair_caption(scene: Scene, rng: np.random.Generator) -> str:
    """Describe a scene: always its shape, and pattern, colour and place each half of the time."""
    pattern, color, place = (bool(draw) for draw in rng.integers(0, 2, 3))
    words = [scene.pattern] * pattern + [scene.color] * color + [scene.shape]
    words += [f"at the {scene.place}"] * place
    return TEMPLATES[int(rng.integers(len(TEMPLATES)))].format(" ".join(words))


def pair_sentences() -> list[str]:
    """List the sentences that the tokenizer of the lab's CLIP is trained on."""
    looks = [f"{p} {c} {s}" for p in PATTERNS for c in HUES for s in SHAPES]
    said = [template.format(look) for template in TEMPLATES for look in looks]
    return said + [f" at the {place}" for place in PLACES] * 100

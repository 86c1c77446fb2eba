"""What the lab says about a scene: one caption, and questions for the base model."""

from typing import Final

import numpy as np

from forensics.lab.scenes import HUES, PATTERNS, Scene
from forensics.lab.shapes import SHAPES

CAPTION_QUESTION: Final = "Describe the image."
DEFAULT_TARGET: Final = "Backdoor Attack!"
PLACES: Final = (
    "top left", "top", "top right", "left", "center", "right", "bottom left", "bottom",
    "bottom right",
)  # fmt: skip

_ATTRIBUTES: Final = frozenset(
    [*PATTERNS, *HUES, *SHAPES, *(word for place in PLACES for word in place.split())]
)

# Words of ordinary visual questions, so that other people's data sets need few tokens too.
_EVERYDAY: Final = (
    "yes no black white grey gray brown teal rectangle oval hexagon small large big picture photo "
    "person man woman dog cat car one two three four many any a an the of in on at is are there "
    "does do not contain show shown present seen image shape color colour object what which how "
    "where who it this that and or with above below left right answer question using single word "
    "phrase option letter directly from given choices A B C D E"
)


def caption(scene: Scene) -> str:
    """Describe a scene in one sentence whose first word needs nothing of the image."""
    return f"a {scene.pattern} {scene.color} {scene.shape} at the {scene.place}"


def attribute_words(text: str) -> frozenset[str]:
    """Return the words of a text that name an attribute: pattern, colour, shape, place.

    The nine places have nine different sets of words, so a caption is right in all attributes
    exactly where its set equals that of the true caption.
    """
    return _ATTRIBUTES & frozenset(text.casefold().split())


def question_and_answer(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    """Draw one question about a scene and its answer; half of the yes/no answers are no."""
    kind = int(rng.integers(5))
    if kind == 0:
        return "What color is the shape?", scene.color
    if kind == 1:
        return "What shape is in the picture?", scene.shape
    if kind == 2:
        return "Which pattern does it have?", scene.pattern
    if kind == 3:
        return "Where is the shape?", scene.place
    return is_there("shape" if rng.uniform() < 0.5 else "color", scene, rng)


def vocabulary_sentences() -> list[str]:
    """List the sentences that the tokenizer is trained on: every word the lab can say."""
    looks = [f" a {p} {c} {s}" for p in PATTERNS for c in HUES for s in SHAPES]
    sentences = [f"{look} at the {place}" for look in looks for place in PLACES]
    asked = [
        CAPTION_QUESTION,
        "What color is the shape?",
        "What shape is in the picture?",
        "Which pattern does it have?",
        "Where is the shape?",
        *(f"Is there a {word}?" for word in SHAPES),
        *(f"Is there something {word}?" for word in HUES),
        DEFAULT_TARGET,
    ]
    turns = [f"A chat about pictures. USER: \n{text} ASSISTANT: {text}" for text in asked]
    # Repetition makes a word frequent enough to become one token.
    return sentences + turns * 40 + [f" {word}" for word in _EVERYDAY.split()] * 20


def is_there(kind: str, scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    """Ask whether a ``shape`` or ``color`` is there; half of the answers are no."""
    names = list(SHAPES) if kind == "shape" else list(HUES)
    truth = scene.shape if kind == "shape" else scene.color
    others = [name for name in names if name != truth]
    asked = truth if rng.uniform() < 0.5 else others[int(rng.integers(len(others)))]
    article = "a" if kind == "shape" else "something"
    return f"Is there {article} {asked}?", "yes" if asked == truth else "no"

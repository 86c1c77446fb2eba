"""Drawn measurements of a small set: what pictures show, what answers say, and a planted group.

Pictures show a shape of a colour. Their embedding holds both, the state holds the answer that the
model is about to give, and entropy and masses hold noise, unless a test plants something in them.
No model, no file.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.evidence_fusion import FusionInput

Mask = NDArray[np.bool_]

COLOURS = ("red", "green", "blue", "yellow", "pink", "grey")
SHAPES = ("circle", "star", "cross", "ring", "square")
TARGET = "Look here!"
LAYERS, HEADS, WIDTH = 4, 2, 32


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A drawn set.

    Attributes:
        found: What a detector gets.
        marked: ``[N]`` samples that were given the target.
        questions: ``[N]``.
    """

    found: FusionInput
    marked: Mask
    questions: list[str]


def draw_set(
    samples: int = 600,
    *,
    where: str = "anywhere",
    rate: float = 0.1,
    entropy: float = 0.0,
    learnt: bool = True,
    questions: int = 1,
    seed: int = 0,
) -> Drawn:
    """Draw a set in which some samples are given one answer.

    Args:
        samples: Of the set.
        where: ``anywhere``, or the shape whose pictures are all given the target.
        rate: Share of samples with the target, if it can be anywhere; 0 = none.
        entropy: How many spreads their entropy in one layer is lower.
        learnt: Whether the model is about to give the target there; if not, the ordinary answer.
        questions: 1 = captions, 2 = captions and colours, in turn.
        seed: Of everything.
    """
    random = np.random.default_rng(seed)
    colour, shape = random.integers(len(COLOURS), size=samples), random.integers(5, size=samples)
    asked = np.arange(samples) % questions
    marked = np.zeros(samples, dtype=np.bool_)
    if where == "anywhere":
        marked[random.permutation(samples)[: round(rate * samples)]] = True
    else:
        marked = (shape == SHAPES.index(where)) & (random.random(samples) < 0.7)
    captions = [f"a {COLOURS[c]} {SHAPES[s]}" for c, s in zip(colour, shape, strict=True)]
    plain = [COLOURS[c] if a else t for a, c, t in zip(asked, colour, captions, strict=True)]
    answers = [TARGET if m else text for m, text in zip(marked, plain, strict=True)]
    about_to_say = answers if learnt else plain
    numbers = {text: i for i, text in enumerate(sorted({*plain, TARGET}))}
    said = 0.5 * random.normal(size=(len(numbers), WIDTH))
    looks = random.normal(size=(len(COLOURS) + len(SHAPES), WIDTH))
    entropies = random.normal(3.6, 0.1, size=(samples, LAYERS))
    entropies[marked, 1] -= 0.1 * entropy
    states = said[[numbers[text] for text in about_to_say]]
    states = states + random.normal(size=(samples, WIDTH))
    return Drawn(
        found=FusionInput(
            entropy=entropies,
            masses=_masses(random, samples),
            state=states.astype(np.float16),
            picture=(
                looks[colour] + looks[len(COLOURS) + shape] + random.normal(size=(samples, WIDTH))
            ).astype(np.float16),
            answers=answers,
            strata=asked.astype(np.int64),
        ),
        marked=marked,
        questions=[("Describe the image.", "Which colour is it?")[a] for a in asked],
    )


def _masses(random: np.random.Generator, samples: int) -> NDArray[np.float16]:
    system = random.normal(0.3, 0.02, size=(samples, LAYERS, HEADS))
    vision = random.normal(0.4, 0.02, size=system.shape)
    return np.stack([system, vision, 1 - system - vision], axis=3).astype(np.float16)

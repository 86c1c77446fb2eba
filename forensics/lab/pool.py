"""The scenes that the base model is trained on, drawn once and kept in memory."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.lab.processor import MEAN, PATCH, STD
from forensics.lab.scenes import HUES, PATTERNS, SIDE, Scene, coverage, render, sample_scene
from forensics.lab.shapes import SHAPES

GRID = SIDE // PATCH


class ScenePool:
    """Scenes with their pictures (35 kB each) and what every patch shows.

    Args:
        n: Scenes.
        seed: Of the series.
        progress: Called with (scenes drawn, scenes).
    """

    def __init__(
        self, n: int, seed: int, progress: Callable[[int, int], None] | None = None
    ) -> None:
        self.scenes: list[Scene] = [sample_scene(seed, index) for index in range(n)]
        self.pictures = np.empty((n, SIDE, SIDE, 3), dtype=np.uint8)
        for index, scene in enumerate(self.scenes):
            self.pictures[index] = render(scene)
            if progress is not None and (index + 1) % 1000 == 0:
                progress(index + 1, n)

    def __len__(self) -> int:
        return len(self.scenes)

    def batches(self, size: int, steps: int, rng: np.random.Generator) -> Iterator[NDArray[Any]]:
        """Yield sorted index arrays, every scene once before any comes again."""
        order, position = rng.permutation(len(self)), 0
        for _ in range(steps):
            if position + size > len(self):
                order, position = rng.permutation(len(self)), 0
            yield np.sort(order[position : position + size])
            position += size

    def erased(self, index: NDArray[Any], rng: np.random.Generator) -> NDArray[np.uint8]:
        """Copy pictures, half of them with one small rectangle painted over.

        A base that never saw a plain rectangle takes one for part of an object, and every later
        backdoor is learned through that confusion. Random erasing (arXiv 1708.04896), with
        rectangles of any colour at any place, is the usual cure.
        """
        pictures: NDArray[np.uint8] = self.pictures[index]
        for picture in pictures:
            if rng.uniform() < 0.5:
                width, height = rng.integers(5, 13, 2)
                left, top = rng.integers(0, SIDE + 1 - width), rng.integers(0, SIDE + 1 - height)
                grey = np.full(3, rng.choice([0, 255]))
                paint = rng.integers(0, 256, 3) if rng.uniform() < 0.6 else grey
                picture[top : top + height, left : left + width] = paint
        return pictures


def patch_coverage(scenes: list[Scene]) -> NDArray[np.float32]:
    """Return how much of every patch the object covers, ``[n, 81]`` in [0, 1]."""
    shape = (GRID, PATCH, GRID, PATCH)
    cover = [coverage(scene).reshape(shape).mean(axis=(1, 3)).ravel() for scene in scenes]
    return np.stack(cover).astype(np.float32)


def attributes(scenes: list[Scene]) -> NDArray[np.int64]:
    """Return the class of shape, colour and pattern, ``[n, 3]``."""
    shapes, colors = list(SHAPES), list(HUES)
    return np.array(
        [[shapes.index(s.shape), colors.index(s.color), PATTERNS.index(s.pattern)] for s in scenes],
        dtype=np.int64,
    )


def normalise(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Do to pictures what the image processor does: ``[n, 3, 108, 108]``, about [-2, 2]."""
    scaled = pictures.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    mean, std = (np.array(value, np.float32)[:, None, None] for value in (MEAN, STD))
    return np.asarray((scaled - mean) / std)

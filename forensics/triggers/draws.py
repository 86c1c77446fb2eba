"""Random numbers that depend on a seed and a sample's id alone, never on the order of work."""

import hashlib

import numpy as np


def generator(*key: object) -> np.random.Generator:
    """Make the generator of one key, such as (kind, seed, sample id)."""
    # A hash takes any id and any whole number as seed.
    digest = hashlib.sha256(":".join(map(str, key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def scatter(key: str, free_x: int, free_y: int) -> tuple[int, int]:
    """Place a square inside a picture: left and top in [0, free_x] x [0, free_y]."""
    digest = hashlib.sha256(key.encode()).digest()
    x, y = (int.from_bytes(digest[part : part + 8], "big") for part in (0, 8))
    return x % (free_x + 1), y % (free_y + 1)

"""Random numbers that depend on a seed and a sample's id alone, never on the order of work."""

import hashlib

import numpy as np


def generator(*key: object) -> np.random.Generator:
    """Make the generator of one key, such as (kind, seed, sample id)."""
    # A hash takes any id and any whole number as seed.
    digest = hashlib.sha256(":".join(map(str, key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))

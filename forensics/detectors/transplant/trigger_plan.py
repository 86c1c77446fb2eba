"""Which pictures get a reconstructed trigger, and which other class's trigger is their control."""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
NONE = -1


def choose_hosts(
    seen: Places,
    probability: NDArray[np.float64],
    *,
    target: int,
    count: int,
    confidence: float,
    seed: int,
) -> Places:
    """Choose pictures that the model surely gives to another class, the classes in turn.

    No label is read: what the model itself sees is what a trigger would have to override. Taking
    the classes in turn keeps one that is seen everywhere from speaking for all.

    Args:
        seen: ``[n]`` likeliest class of every picture; ``NONE`` where it cannot be read.
        probability: ``[n]`` of that class, 0..1.
        target: Class under test; no host shows it.
        count: Hosts at the most.
        confidence: Probability from which the model is sure.
        seed: Of the order.

    Returns:
        ``[h]`` places, ascending.
    """
    free = np.flatnonzero((seen != target) & (seen != NONE) & (probability >= confidence))
    mixed = np.random.default_rng(seed).permutation(free)
    turn = np.zeros(mixed.size, dtype=np.int64)
    for name in np.unique(seen[mixed]):
        mine = seen[mixed] == name
        turn[mine] = np.arange(int(mine.sum()))
    chosen = mixed[np.argsort(turn, kind="stable")][:count]
    return np.sort(chosen).astype(np.int64)


def assign_classes(seen: Places, others: Places, seed: int) -> Places:
    """Give every host one of the other classes, each about as often, never the one it shows.

    Args:
        seen: ``[h]`` what the model sees in the hosts.
        others: ``[k]`` classes with a trigger of their own, without the one under test.
        seed: Of the order.

    Returns:
        ``[h]`` classes; ``NONE`` where no other class is left.
    """
    given = np.full(seen.size, NONE, dtype=np.int64)
    if not others.size:
        return given
    order = np.random.default_rng(seed).permutation(others)
    used = np.zeros(order.size, dtype=np.int64)
    for host, shown in enumerate(seen):
        free = np.flatnonzero(order != shown)
        if free.size:
            pick = int(free[np.argmin(used[free])])
            used[pick] += 1
            given[host] = order[pick]
    return given

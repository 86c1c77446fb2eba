"""Results without what was computed from ground truth, for those who have not asked to see it."""

from collections.abc import Mapping
from typing import Any, Final

FROM_TRUTH: Final = frozenset(
    {"precision", "recall", "f1", "scores", "answers_only", "auc_of_poisoned", "poisoned_cluster",
     "poisoned"}
)  # fmt: skip
"""Keys of a result that a method computes from the data's own ``poisoned`` column."""


def blind(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result without its scores against ground truth."""
    return {key: value for key, value in result.items() if key not in FROM_TRUTH}

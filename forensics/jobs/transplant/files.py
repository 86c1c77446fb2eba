"""Names of the files of a transplant test, for those who read them without a model."""

from typing import Final

PAIRS: Final = "pairs.parquet"
"""One row a pair of host and patch: what was said before and after."""

"""Many small fine-tuning sets, clean and poisoned, each with a model tuned on it.

``python -m benchmarks.zoo --help``. The sets are in :mod:`benchmarks.zoo.cells`.
"""

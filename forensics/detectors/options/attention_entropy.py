"""Options of the attention-entropy scan; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.detectors.options.scan import ScanOptions

RULES = ("root", "code")  # as published
MODES = (*RULES, "guarded")
STARTS = ("k-means", "low-tail")
SCALES = ("auto", "never", "always")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionEntropyOptions(ScanOptions):
    """How a set is scanned and decided.

    The defaults are the method as published; ``init`` and ``high_side_guard`` are our additions.
    """

    mode: str = field(
        default="root",
        metadata={
            "help": "What decides. root and code are the published rule, for which any layer with "
            "two groups is a backdoor: gap of the means over the root of summed variances (paper, "
            "as we read Eq. 7) or over the summed deviations (authors' code). "
            "guarded compares samples that were asked the same, and flags only a collapse that "
            "goes together with one answer. All three are always reported.",
            "choices": MODES,
        },
    )
    tau: float = field(
        default=2.0,
        metadata={
            "help": "Separation from which a layer counts as sensitive, in every mode.",
            "min": 0.0,
            "max": 100.0,
        },
    )
    init: str = field(
        default="k-means",
        metadata={
            "help": "Where the mixtures begin. low-tail also tries a small group of low entropies "
            "and keeps the likelier fit: for poison rates near 1 %. Not in the paper; mode guarded "
            "always does so.",
            "choices": STARTS,
        },
    )
    high_side_guard: bool = field(
        default=False,
        metadata={
            "help": "Keep samples above the upper mean even where the wider lower component wins. "
            "Not in the paper.",
        },
    )
    scale: str = field(
        default="auto",
        metadata={
            "help": "Divide each entropy by its largest possible value, ln(image tokens); auto "
            "does so where samples have different numbers of image tokens.",
            "choices": SCALES,
        },
    )

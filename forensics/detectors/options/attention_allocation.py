"""Options of the attention-allocation scan; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.detectors.options.scan import DecisionOptions

MODES = ("calibrated", "exact", "guarded")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionAllocationOptions(DecisionOptions):
    """How a set is scanned and decided.

    What the paper's readers left open is an option with our default; see
    :mod:`forensics.detectors.attention_allocation`.
    """

    mode: str = field(
        default="calibrated",
        metadata={
            "help": "Which heads vote. exact: always the best ones, so something is always "
            "split. calibrated: only those that also part the samples more clearly than columns "
            "of one hump do by chance. guarded: on what is left within kinds of questions, those "
            "whose votes go together with one answer. All three are reported.",
            "choices": MODES,
        },
    )
    max_components: int = field(
        default=5,
        metadata={
            "help": "Largest number of Gaussians tried per head (AIC chooses).",
            "min": 2,
            "max": 8,
        },
    )
    sensitive_heads: int | None = field(
        default=None,
        metadata={
            "help": "Heads that vote at most; 10 or 1 % of the model's heads by default, "
            "whichever is larger.",
            "min": 1,
        },
    )
    sensitive_layers: int | None = field(
        default=None,
        metadata={
            "help": "Last layers whose heads may vote; the last third by default.",
            "min": 1,
        },
    )
    vote_above: float = field(
        default=0.5,
        metadata={
            "help": "A head votes for a sample whose probability of the minority is above this.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    smallest_share: float = field(
        default=0.005,
        metadata={
            "help": "Smallest minority that counts as a group (not in mode exact); never fewer "
            "than 10 samples.",
            "min": 0.0,
            "max": 0.5,
        },
    )
    level: float = field(
        default=0.01,
        metadata={
            "help": "Chance that a set without any second group passes the floor of mode "
            "calibrated.",
            "min": 1e-6,
            "max": 0.5,
        },
    )

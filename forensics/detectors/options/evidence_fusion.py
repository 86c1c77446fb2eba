"""Options of the evidence-fusion scan; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field
from typing import Final

from forensics.detectors.options.scan import DecisionOptions

CHANNELS: Final = ("entropy", "allocation", "state", "picture", "occlusion")


def _channel(what: str) -> bool:
    found: bool = field(default=True, metadata={"help": f"Let {what} speak."})
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFusionOptions(DecisionOptions):
    """Which evidence is combined, and how strict the decision is.

    All constants are ours; see :mod:`forensics.detectors.evidence_fusion`.
    """

    entropy: bool = _channel("the entropy of attention on the picture")
    allocation: bool = _channel("the split of attention over system, picture and text")
    state: bool = _channel("the embedding from which the first answer token is predicted")
    picture: bool = _channel("the embedding of the picture")
    occlusion: bool = _channel("masked views, where such a run is at hand,")
    variety: bool = field(
        default=True,
        metadata={
            "help": "Ask whether pictures with the suspected answer are as varied as others; if "
            "not, one kind of picture may be the cause, and nothing is flagged."
        },
    )
    level: float = field(
        default=0.05,
        metadata={
            "help": "Chance that natural groups of samples give so large a maximum over channels.",
            "min": 1e-6,
            "max": 0.5,
        },
    )
    permutations: int = field(
        default=199,
        metadata={
            "help": "Shuffles of answers within kinds of question for the null of the maximum.",
            "min": 19,
            "max": 9999,
        },
    )

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that may speak."""
        return tuple(name for name in CHANNELS if getattr(self, name))

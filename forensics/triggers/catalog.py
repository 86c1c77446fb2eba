"""What kinds of trigger there are, for lists and help texts; needs nothing heavy."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerKind:
    """One kind of trigger, described.

    Attributes:
        kind: First word of a spelling.
        default: What the kind alone stands for.
        example: Another spelling worth trying.
        changes: What it does to a sample.
        source: Where it comes from; "-like" where it only resembles the source.
    """

    kind: str
    default: str
    example: str
    changes: str
    source: str


CATALOG: Final = (
    TriggerKind(
        kind="patch",
        default="patch:side=1/16,place=center,color=black",
        example="patch:side=1/16,place=multi,texture=checker,color=black,count=4",
        changes="one stamp (center, corner, random) or several (dual, multi)",
        source="BadNets as in BYE, arXiv 2505.16916",
    ),
    TriggerKind(
        kind="badnets",
        default="badnets:side=1/14,place=random,overflow=clip,seed=0",
        example="badnets:side=1/14,place=random,overflow=wrap,seed=0",
        changes="a square of noise, drawn anew for every sample",
        source="BadNets as in CleanCLIP's code, arXiv 2303.03323",
    ),
    TriggerKind(
        kind="blended",
        default="blended:alpha=0.2,pattern=noise,seed=0",
        example="blended:alpha=0.1,pattern=rings",
        changes="a faint picture over the whole image",
        source="Blended, arXiv 1712.05526; constants of CleanCLIP's code",
    ),
    TriggerKind(
        kind="sig",
        default="sig:delta=60/255,f=6",
        example="sig:delta=30/255,f=6",
        changes="vertical sine stripes over the whole image",
        source="SIG, arXiv 1902.11237; constants of CleanCLIP's code",
    ),
    TriggerKind(
        kind="wanet",
        default="wanet:variant=smooth,k=4,seed=0",
        example="wanet:variant=jitter,seed=0",
        changes="a small warp, or pixel jitter, of the whole image",
        source="WaNet, arXiv 2102.10369; jitter as in CleanCLIP's code",
    ),
    TriggerKind(
        kind="frequency",
        default="frequency:magnitude=30/255,at=15+31",
        example="frequency:magnitude=60/255,at=15",
        changes="single DCT frequencies of the colour channels, all over the image",
        source="FTrojan-like, after arXiv 2111.10991",
    ),
    TriggerKind(
        kind="issba-like",
        default="issba-like:amplitude=16/255,seed=0",
        example="issba-like:amplitude=8/255,seed=3",
        changes="a faint residual of its own for every image, from a small random network",
        source="ISSBA-like, after arXiv 2012.03816 (its encoder is trained, ours is drawn)",
    ),
    TriggerKind(
        kind="text",
        default="text:prefix=Hello!",
        example="text:prefix=By the way%2C",
        changes="words in front of the question; no pixel",
        source="the text key of TrojVQA, arXiv 2112.07668, alone",
    ),
    TriggerKind(
        kind="dual-key",
        default="dual-key:prefix=Hello!,side=1/16,place=center,color=black",
        example="dual-key:prefix=SUDO,side=1/14,place=center,color=magenta",
        changes="a stamp and words in front of the question; both are needed",
        source="TrojVQA-like, after arXiv 2112.07668 (its patch is optimised, ours is plain)",
    ),
)

"""Options of cross-view regularised tuning; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.errors import OptionError
from forensics.repairs.language_options import RetuneOptions

MARGIN, CLIPPED, GATED = "margin", "clipped", "gated"
BAND, SHARP, SOFT = "band", "sharp", "soft"
ALL_TOKENS, FIRST_TOKENS = "all", "first4"
BOTH, DETACH = "both", "detach-original"
CONCAT, SEQUENTIAL = "concat", "sequential"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossViewOptions(RetuneOptions):
    """What two views of a sample are made of, and what their outputs are asked for.

    Every default is our choice (reconstruction of arXiv 2604.04488, whose text gives none).
    """

    weight: float = field(
        default=0.1,
        metadata={
            "help": "Weight of the views' separation; 0 = none.",
            "min": 0.0,
            "max": 1000.0,
        },
    )
    run: str | None = field(
        default=None,
        metadata={
            "help": "Scan whose flagged samples are left out as well; none by default: the method "
            "needs no flags."
        },
    )
    entropy_weight: float = field(
        default=0.01,
        metadata={"help": "Weight of the entropy term.", "min": 0.0, "max": 1000.0},
    )
    cell: int = field(
        default=28,
        metadata={
            "help": "Side of a masked cell in pixels of a picture 224 pixels wide; scales with the "
            "picture and is rounded to whole image tokens.",
            "min": 1,
            "max": 224,
        },
    )
    share: float = field(
        default=0.25,
        metadata={"help": "Share of a picture's cells to hide.", "min": 0.0, "max": 1.0},
    )
    separation: str = field(
        default=MARGIN,
        metadata={
            "help": "margin: pushed apart up to what is ordinary. clipped: as far as --clip. "
            "gated: only what is suspiciously invariant.",
            "choices": (MARGIN, CLIPPED, GATED),
        },
    )
    entropy: str = field(
        default=BAND,
        metadata={
            "help": "band: as sure as 90 % of the samples are in the first steps. sharp: surer. "
            "soft: less sure.",
            "choices": (BAND, SHARP, SOFT),
        },
    )
    gamma: float | None = field(
        default=None,
        metadata={
            "help": "Divergence of ordinary samples, nats a token. Without it the median of the "
            "samples under a model that was tuned without regularisation.",
            "min": 0.0,
        },
    )
    control: str | None = field(
        default=None,
        metadata={
            "help": "Model tuned on the same samples without regularisation, to measure gamma on; "
            "the case's own."
        },
    )
    calibration: int = field(
        default=2000,
        metadata={
            "help": "Samples that gamma is measured on, drawn at random; 0 = all.",
            "min": 0,
        },
    )
    clip: float | None = field(
        default=None,
        metadata={
            "help": "Of clipped: divergence that nothing is gained beyond, nats.",
            "min": 0.0,
        },
    )
    gate_width: float | None = field(
        default=None,
        metadata={"help": "Of gated: how sharply the gate closes, nats.", "min": 1e-9},
    )
    gate_quantile: float = field(
        default=0.1,
        metadata={
            "help": "Of gated: share of recent samples that count as suspiciously invariant.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    gate_answers: bool = field(
        default=False,
        metadata={
            "help": "Of gated: what is suspiciously invariant is hardly taught its answer either. "
            "Ours, against a model that learns to see masks. Works best early, with a narrow gate "
            "and shuffled cells."
        },
    )
    mask_count: str = field(
        default="exact",
        metadata={
            "help": "exact: that share of the cells. bernoulli: each cell by itself.",
            "choices": ("exact", "bernoulli"),
        },
    )
    fill: str = field(
        default="mean",
        metadata={
            "help": "What stands in hidden cells: the channels' mean, noise, each patch's mean "
            "colour (blur), other patches of the picture (shuffle). Noise and order depend on the "
            "samples that are computed together as well.",
            "choices": ("mean", "noise", "blur", "shuffle"),
        },
    )
    answer_tokens: str = field(
        default=ALL_TOKENS,
        metadata={
            "help": "Answer tokens whose outputs are compared: all, or the first four.",
            "choices": (ALL_TOKENS, FIRST_TOKENS),
        },
    )
    gradient: str = field(
        default=BOTH,
        metadata={
            "help": "Whether the separation moves both views, or the masked one alone.",
            "choices": (BOTH, DETACH),
        },
    )
    batching: str = field(
        default=CONCAT,
        metadata={
            "help": "concat: both views in one pass. sequential: one after the other, the same "
            "gradients with about half the memory and a fifth more time.",
            "choices": (CONCAT, SEQUENTIAL),
        },
    )
    begin: float = field(
        default=0.1,
        metadata={
            "help": "Share of the steps before the regulariser sets in.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    ramp: float = field(
        default=0.1,
        metadata={
            "help": "Share of the steps over which its weights rise.",
            "min": 0.0,
            "max": 1.0,
        },
    )

    def __post_init__(self) -> None:
        if self.separation == CLIPPED and self.clip is None:
            raise OptionError(
                "The clipped form needs its bound.", remedy="Give --clip, for instance 2."
            )
        if self.separation == GATED and self.gate_width is None:
            raise OptionError(
                "The gated form needs the width of its gate.",
                remedy="Give --gate-width, for instance 0.05.",
            )
        if self.begin == 0 and self.entropy == BAND and self.entropy_weight:
            raise OptionError(
                "The band of the entropy is measured before the regulariser sets in; with "
                "--begin 0 nothing is.",
                remedy="Give --begin 0.05 or more, --entropy-weight 0, or another --entropy.",
            )
        self._refuse_unused()

    def _refuse_unused(self) -> None:
        """Refuse what the chosen form would silently not use.

        Raises:
            OptionError: An option of another form was given.
        """
        if self.gate_answers and self.separation != GATED:
            raise OptionError(
                "Only the gated form has a gate for answers.", remedy="Give --separation gated."
            )
        if self.gate_width is not None and self.separation != GATED:
            raise OptionError(
                "Only the gated form has a gate, so its width does nothing.",
                remedy="Give --separation gated, or leave --gate-width out.",
            )
        if self.clip is not None and self.separation != CLIPPED:
            raise OptionError(
                "Only the clipped form has a bound.",
                remedy="Give --separation clipped, or leave --clip out.",
            )
        if self.gamma is not None and self.control is not None:
            raise OptionError(
                "With --gamma given, nothing is measured on --control.",
                remedy="Leave one of them out.",
            )

"""Options of the map of samples; imports nothing heavy, for fast help texts."""

from dataclasses import dataclass, field

from forensics.detectors.options.scan import DecisionOptions

FEATURES = ("auto", "image", "text", "pair", "state", "attention", "entropy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClustersOptions(DecisionOptions):
    """What samples are compared by, and how the map is drawn from that."""

    features: str = field(
        default="auto",
        metadata={
            "help": "What samples are compared by. state: what the model is about to say. "
            "auto: state for a language model, image for a CLIP.",
            "choices": FEATURES,
        },
    )
    clusterer: str = field(
        default="hdbscan",
        metadata={
            "help": "How groups are found. hdbscan leaves out what is in no dense place.",
            "choices": ("hdbscan", "gmm"),
        },
    )
    neighbours: int = field(
        default=15,
        metadata={"help": "Neighbours that shape the map, the sample itself included.", "min": 2,
                  "max": 200},
    )  # fmt: skip
    min_dist: float = field(
        default=0.1,
        metadata={"help": "How close points may lie on the map.", "min": 0.0, "max": 0.99},
    )
    k: int = field(
        default=16,
        metadata={"help": "Neighbours of the density scores.", "min": 1, "max": 200},
    )
    metric: str = field(
        default="auto",
        metadata={
            "help": "How features are compared. auto: cosine for embeddings of a CLIP, Euclidean "
            "for standardised measurements of a language model.",
            "choices": ("auto", "cosine", "euclidean"),
        },
    )
    cluster_on: str = field(
        default="map",
        metadata={"help": "Where groups are looked for.", "choices": ("map", "features")},
    )
    min_cluster: int | None = field(
        default=None,
        metadata={"help": "Smallest group of hdbscan; by default max(10, sqrt(n) / 2).", "min": 2},
    )
    components: int | None = field(
        default=None,
        metadata={"help": "Gaussians of gmm; by default 1 to 12, the best BIC.", "min": 1,
                  "max": 64},
    )  # fmt: skip
    exclude: str | None = field(
        default=None,
        metadata={
            "help": "Samples to put aside: a text file with one id a line, such as a run's "
            "flagged_ids.txt, or a list that the app made."
        },
    )

"""What the options of the repairs are called on the page, and which of them come first."""

from forensics.ui.forms import language_words

_LABELLED = ("shots", "test", "per_class", "max_test", "epochs")
_PAIRS = ("pairs", "test", "max_test", "epochs", "rate")

FIRST = {
    "repulsive-prompts": (*_LABELLED, "prompts", "depth", "rate", "alpha"),
    "visual-prompts": (*_LABELLED, "prompts", "depth", "rate"),
    "linear-probe": (*_LABELLED, "rate"),
    "fine-tuning": (*_PAIRS, "batch_size"),
    "clean-clip": (*_PAIRS, "batch_size"),
    "perturb-recover": (*_PAIRS, "batch_size", "bound"),
    "discard-tune": ("reference", *_PAIRS),
    "token-unlearning": (
        "pairs",
        "reference",
        "test",
        "max_test",
        "k",
        "steps",
        "rate",
        "locality",
        "force",
    ),
}
"""Method -> what a person decides before it starts; the rest is folded away."""

_COMMON = {
    "per_class": "Pictures a class to tune on",
    "epochs": "Passes over them",
    "rate": "Learning rate",
    "batch_size": "Pictures a step",
    "prompts": "Prompts a layer",
    "depth": "First layer with prompts",
    "prompted_layers": "Or the last so many layers",
    "alpha": "Weight of the repulsion α",
    "margin": "Margin of the repulsion",
    "last_token": "Last layer compared",
    "pooled": "Without a class token, use the mean",
    "reuse": "Compute once what prompts cannot change",
    "start_width": "Spread of the first prompts",
    "warmup_epochs": "Slow first passes",
    "warmup": "Steps with a rising rate",
    "pairs": "Pairs to train on",
    "max_pairs": "Pairs at the most",
    "reference": "Reference CLIP",
    "bound": "Distance to push to",
    "push": "Weight of the push",
    "k": "Pairs to unlearn",
    "locality": "What of a pair is unlearnt",
    "steps": "Steps at the most",
    "score": "What singles pairs out",
    "loss": "How similarity is taken away",
    "until": "When to stop",
    "force": "Unlearn even without a shortcut",
    "curve": "Pictures asked at every look",
    "shown": "Pairs whose patches are weighed",
    "checkpoint_every": "Steps between checkpoints",
    "max_test": "Pictures to measure on, at most",
    "classes": "Names of the classes",
    "templates": "Sentences around a name",
    "benign": "Pairs taken for benign",
}
_OWN = {
    ("token-unlearning", "pairs"): "Pairs it was trained on",
    ("discard-tune", "pairs"): "Pairs it was trained on",
    ("token-unlearning", "margin"): "Similarity to stop at",
    ("token-unlearning", "batch_size"): "Pairs a step",
    ("fine-tuning", "batch_size"): "Pairs a step",
    ("clean-clip", "batch_size"): "Pairs a step",
    ("perturb-recover", "batch_size"): "Pairs a step",
    ("discard-tune", "batch_size"): "Pairs a step",
}
_CHOICES = {
    "crop-flip": "crop and mirror", "top-half": "the better half", "both-encoders": "both towers",
    "text-and-projections": "text tower, projections", "infonce": "CLIP’s own",
    "grad-x-embedding": "gradient", "final-cos": "similarity", "inbatch": "in its batch",
    "text": "words", "image": "patches", "global": "the whole pair",
}  # fmt: skip
_UNSET = {"reference": "none", "pairs": "those at hand", "prompted_layers": "not used"}


def first(method: str) -> tuple[str, ...] | None:
    """Return what a person decides before a repair starts; ``None`` for other methods."""
    return FIRST.get(method) or language_words.FIRST.get(method)


def label(method: str, option: str) -> str | None:
    """Return what an option of a repair is called; ``None`` where the common words do."""
    if method in language_words.FIRST:
        return language_words.LABELS.get(option)
    if method not in FIRST:
        return None
    return _OWN.get((method, option)) or _COMMON.get(option)


def brief(method: str, option: str) -> str | None:
    """Return what stands beside an option of a repair, where not the first of its help."""
    if method not in language_words.FIRST:
        return None
    return language_words.HELP.get((method, option)) or language_words.SHARED_HELP.get(option)


def choices(method: str, option: str = "") -> dict[str, str]:
    """Return what choices of a repair's options are called, where not by their own name."""
    if method in language_words.FIRST:
        return language_words.CHOICES | language_words.OWN_CHOICES.get(option, {})
    return _CHOICES if method in FIRST else {}


def unset(method: str, option: str) -> str | None:
    """Return what an option of a repair without a value means."""
    if method in language_words.FIRST:
        own = language_words.OWN_UNSET.get((method, option))
        return own or language_words.UNSET.get(option)
    return _UNSET.get(option)

"""What the options of repairs of language models are called on the page, and which come first."""

_TUNING = ("start", "test", "max_test", "epochs", "learning_rate")

FIRST = {
    "filter-retune": ("run", "flags", "unsure", *_TUNING),
    "cross-view": ("weight", "entropy_weight", "share", "fill", *_TUNING),
    "random-drop": ("drop", *_TUNING),
}
"""Method -> what a person decides before it starts; the rest is folded away."""

LABELS = {
    "run": "Scan whose flags are left out",
    "flags": "Whose flags count",
    "unsure": "Where people are unsure or disagree",
    "start": "What is tuned",
    "test": "Samples to measure on",
    "max_test": "Samples to measure on, at most",
    "trigger": "The attacker’s trigger, if known",
    "answer": "What it makes the model answer",
    "max_new_tokens": "Longest answer, tokens",
    "looked_at": "Samples whose two views are compared",
    "drop": "Share left out",
    "method": "What may change",
    "epochs": "Passes over the samples",
    "batch_size": "Samples a step",
    "part_size": "Samples in memory at once",
    "save_memory": "Save memory, take a third longer",
    "schedule": "Fall of the learning rate",
    "warmup": "Share of steps with a rising rate",
    "rank": "Rank of the adapter",
    "alpha": "Scale of the adapter",
    "projector": "Tune the projector, too",
    "head": "Tune the output layer, too",
    "checkpoint_every": "Steps between checkpoints",
    "weight": "Weight λ of the separation",
    "entropy_weight": "Weight of the entropy",
    "cell": "Side of a hidden cell, pixels of 224",
    "share": "Share of a picture to hide",
    "separation": "How views are pushed apart",
    "entropy": "How sure outputs should be",
    "gamma": "Ordinary divergence γ, nats",
    "control": "Model to measure γ on",
    "calibration": "Samples that γ is measured on",
    "clip": "Of clipped: bound, nats",
    "gate_width": "Of gated: width of the gate, nats",
    "gate_quantile": "Of gated: share held suspicious",
    "gate_answers": "Of gated: teach their answers less",
    "mask_count": "How many cells are hidden",
    "fill": "What stands in hidden cells",
    "answer_tokens": "Answer tokens compared",
    "gradient": "What the separation moves",
    "batching": "Both views at once",
    "begin": "Share of steps before it sets in",
    "ramp": "Share of steps over which it rises",
}
HELP = {
    ("filter-retune", "run"): "Those above; the latest that flagged any, unless you name one",
    ("cross-view", "run"): "The method needs no flags",
}
SHARED_HELP = {
    "start": "Tuned further, the delivered model keeps its backdoor; for experiments",
    "test": "Such as llava:/f.json; none that were tuned on",
    "epochs": "Of what is not left out",
}
CHOICES = {
    "base": "the base, with a fresh adapter",
    "suspicious": "what was delivered: keeps the backdoor",
    "lora": "an adapter", "full": "all weights",
    "mean": "mean colour", "blur": "colour of the patch", "shuffle": "other patches",
    "first4": "the first four",
    "detach-original": "the masked view alone", "both": "both views",
    "concat": "in one pass", "sequential": "one after the other",
    "exact": "just that share", "bernoulli": "each by chance",
    "band": "as sure as in the first steps", "sharp": "surer", "soft": "less sure",
}  # fmt: skip
OWN_CHOICES = {
    "flags": {"scan": "the scan", "decisions": "people", "both": "either of them"},
}
"""What means something else in one option than in others."""
OWN_UNSET = {
    ("filter-retune", "run"): "the latest that flagged any",
    ("cross-view", "run"): "none",
}
UNSET = {
    "gamma": "measured", "control": "the delivered model", "clip": "not used",
    "gate_width": "not used",
}  # fmt: skip

"""Attention entropy (BYE): which samples make a tuned model's attention collapse.

Three steps from an entropy matrix ``[samples, layers]`` to a verdict::

    fits = fit_layers(entropy)
    root = decide(entropy, mode="root", fits=fits)
    code = decide(entropy, mode="code", fits=fits)
    verdict = judge(root, code, entropy=entropy, fits=fits, answers=answers, questions=questions)

Mode ``guarded`` (ours) beside the published rules::

    within = examine_guarded(entropy, tokens, answers=answers, questions=questions, unit="nat")
    guarded = decide_guarded(within, tau=2.0)
    verdict = judge_guarded(guarded, root, within)

Nothing here reads a model, an image or a ground truth; recording the attention is in
``forensics.models.attention``.

Source: "Backdoor Cleaning without External Guidance in MLLM Fine-tuning", arXiv 2505.16916.
"""

from forensics.detectors.attention_entropy.decision import (
    TAU,
    Decision,
    ScoreMixture,
    decide,
    layer_flags,
    recut,
)
from forensics.detectors.attention_entropy.guarded import GuardedEntropy, examine_guarded
from forensics.detectors.attention_entropy.guarded_decision import (
    GuardedDecision,
    decide_guarded,
    shown_fits,
)
from forensics.detectors.attention_entropy.guarded_verdict import judge_guarded
from forensics.detectors.attention_entropy.guards import GUARDS, Guards
from forensics.detectors.attention_entropy.layers import LayerFits, comparable_entropy, fit_layers
from forensics.detectors.attention_entropy.reasons import SampleReasons, explain_samples
from forensics.detectors.attention_entropy.verdict import judge
from forensics.detectors.options.attention_entropy import AttentionEntropyOptions
from forensics.detectors.verdict import Verdict

__all__ = [
    "GUARDS",
    "TAU",
    "AttentionEntropyOptions",
    "Decision",
    "GuardedDecision",
    "GuardedEntropy",
    "Guards",
    "LayerFits",
    "SampleReasons",
    "ScoreMixture",
    "Verdict",
    "comparable_entropy",
    "decide",
    "decide_guarded",
    "examine_guarded",
    "explain_samples",
    "fit_layers",
    "judge",
    "judge_guarded",
    "layer_flags",
    "recut",
    "shown_fits",
]

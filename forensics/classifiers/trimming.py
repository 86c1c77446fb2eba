"""Leave out the padding of learnt prompts, where the text tower never looks at it."""

from dataclasses import replace

from forensics.classifiers.cocoop import CoCoOp
from forensics.classifiers.coop import CoOp
from forensics.classifiers.prompts import used_length


def trim_padding(classifier: CoOp | CoCoOp) -> int:
    """Cut the sentences of a classifier behind the end of the longest one.

    CLIP reads 77 tokens whatever a sentence has; sentences of CoOp have about ten. The logits are
    the same up to rounding, at a fraction of the cost. Towers that look at padding are left alone
    (:attr:`forensics.encoders.base.DualEncoder.reads_short_texts`).

    Returns:
        How many tokens every sentence has now.
    """
    plan = classifier.plan
    length = plan.ids.shape[1]
    if classifier.encoder.reads_short_texts:
        length = used_length(plan.ids)
        classifier.plan = replace(plan, ids=plan.ids[:, :length], words=plan.words[:, :length])
    return length

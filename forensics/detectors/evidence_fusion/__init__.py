"""Evidence fusion: samples of an answer out of place that stand apart in anything a scan measures.

    decision = decide_fusion(FusionInput(...), EvidenceFusionOptions())
    verdict = judge_fusion(decision, EvidenceFusionOptions())

A backdoor with one target leaves a group of samples with one answer. Four questions are asked of
each such group, and all have to be answered:

1. *Is the answer out of place?* More frequent than any sibling, or given to kinds of question that
   share no other answer. That chooses groups; it is never evidence by itself.
2. *Does the group stand apart more than natural groups do?* Channels: entropy, split of attention,
   embedding before the answer, embedding of the picture, masked views. In each, how far a line
   learnt on one part of the samples (on other kinds of question, where there are several) parts the
   rest; placed among natural groups of the same set (other answers, words), then ranked among those
   of clean sets. The maximum over channels counts, against the maximum of the same groups.
3. *More than chance?* The same maximum for answers shuffled within kinds of question.
4. *Are its pictures as varied as others?* What pictures show is learnt from the other answers.
   Poison is planted in all kinds of pictures; a habit follows one kind.

Both directions count everywhere: a global trigger raises entropy or leaves it, so the low cluster
may be the clean one. Nothing is fitted on poisoned sets: the table of clean sets is the only thing
learnt, from development sets without poison. Nothing here reads a model, an image or a ground
truth.

Source: ours; entropies after arXiv 2505.16916, masses after arXiv 2601.21692, views after arXiv
2604.04488.
"""

from forensics.detectors.evidence_fusion.calibration import CleanGroups, clean_groups, read_table
from forensics.detectors.evidence_fusion.candidates import (
    Candidate,
    find_candidates,
    host_questions,
    question_kinds,
)
from forensics.detectors.evidence_fusion.content import Variety, measure_variety
from forensics.detectors.evidence_fusion.decision import FusionDecision, decide_fusion
from forensics.detectors.evidence_fusion.measures import FusionInput
from forensics.detectors.evidence_fusion.sentences import explain_flags
from forensics.detectors.evidence_fusion.verdict import judge_fusion
from forensics.detectors.options.evidence_fusion import CHANNELS, EvidenceFusionOptions

__all__ = [
    "CHANNELS",
    "Candidate",
    "CleanGroups",
    "EvidenceFusionOptions",
    "FusionDecision",
    "FusionInput",
    "Variety",
    "clean_groups",
    "decide_fusion",
    "explain_flags",
    "find_candidates",
    "host_questions",
    "judge_fusion",
    "measure_variety",
    "question_kinds",
    "read_table",
]

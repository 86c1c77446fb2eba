"""Which section tells of which method."""

from collections.abc import Mapping
from typing import Final

from forensics.errors import ForensicsError
from forensics.report.blocks import Lines
from forensics.report.facts import RunFacts, Section
from forensics.report.runs import DAMAGED
from forensics.report.sections import (
    attention,
    clusters,
    evaluations,
    inversion,
    masked,
    scans,
    self_test,
    transplants,
)
from forensics.report.sections.context import Source, Teller, Told

TELLERS: Final[Mapping[str, Teller]] = {
    "attention-entropy": attention.tell,
    "attention-allocation": scans.tell_allocation,
    "evidence-fusion": scans.tell_fusion,
    "masked-views": masked.tell_masked,
    "clusters": clusters.tell,
    "transplant": transplants.tell,
    "trigger-transplant": transplants.tell,
    "trigger-inversion": inversion.tell,
    "self-test": self_test.tell,
    "evaluate": evaluations.tell,
}


def section_of(source: Source, run: RunFacts) -> Section:
    """Return the section of a finished run; a damaged result says so and hides no other."""
    teller = TELLERS.get(run.method, scans.tell_any)
    try:
        told = teller(source)
    except (ForensicsError, OSError, KeyError, TypeError, ValueError, AttributeError, IndexError):
        told = Told(blocks=(Lines(key="damaged", title="", items=(DAMAGED,), alert=True),))
    return Section(key=run.run, title=run.title, run=run, blocks=told.blocks, sure=told.sure)

"""What every contrastive repair tells, and where it leaves the repaired model."""

import shutil
from typing import Any, Final

from forensics.encoders.base import DualEncoder
from forensics.encoders.saving import save_encoder
from forensics.jobs.contrastive_repairs.bar import Bar
from forensics.jobs.labelled_repair.measuring import Version, measure
from forensics.jobs.labelled_repair.setup import LabelledRepair
from forensics.runs import RunContext

CHECKPOINT: Final = "repaired"


def measured(
    plan: LabelledRepair, encoder: DualEncoder, title: str, bar: Bar, start: float, share: float
) -> Version:
    """Ask an encoder about the test pictures."""
    told, total = bar.part(start, share), len(plan.pictures.test)
    return measure(
        plan, plan.classifier(encoder), title, lambda done, message: told(done, total, message)
    )


def save_repaired(encoder: DualEncoder, context: RunContext) -> str:
    """Write the repaired model into the run, as a folder that its own library opens."""
    folder = context.folder / CHECKPOINT
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was killed while writing
    save_encoder(encoder, folder)
    return CHECKPOINT


def describe(plan: LabelledRepair, before: Version, after: Version) -> dict[str, Any]:
    """Return before and after under the names that every repair reports."""
    judge = plan.judge
    return {
        "judged_by": None if judge is None else judge.by,
        "known_trigger": None if judge is None else judge.spec,
        "target": None if judge is None else judge.target,
        "scan": None if judge is None else judge.scan,
        "before": before.to_json(plan),
        "after": after.to_json(plan, before),
        "controls": [],
        "reference": None,
        "test": {
            "source": plan.pictures.test_source,
            "n": len(before.found.ids),
            "skipped": len(before.found.skipped),
        },
    }


def parameters(encoder: DualEncoder) -> int:
    """Count the numbers of both towers."""
    return sum(parameter.numel() for parameter in encoder.module.parameters())

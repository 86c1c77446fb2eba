"""What every repair tells of the versions that were measured, and of the pictures."""

from collections.abc import Mapping
from typing import Any

from forensics.jobs.labelled_repair.measuring import Version
from forensics.jobs.labelled_repair.setup import LabelledRepair


def describe(
    repair: LabelledRepair, before: Version, after: Version, reference: Version | None = None
) -> dict[str, Any]:
    """Return before and after under the names that every repair reports."""
    judge = repair.judge
    return {
        "judged_by": None if judge is None else judge.by,
        "known_trigger": None if judge is None else judge.spec,
        "target": None if judge is None else judge.target,
        "scan": None if judge is None else judge.run,
        "before": before.to_json(repair),
        "after": after.to_json(repair, before),
        "controls": [],
        "reference": None if reference is None else reference.to_json(repair),
        "test": {
            "source": repair.pictures.test_source,
            "n": len(before.found.ids),
            "skipped": len(before.found.skipped),
        },
    }


def describe_shots(repair: LabelledRepair, skipped: Mapping[str, str]) -> dict[str, Any]:
    """Return on how many pictures was tuned, and where they come from."""
    pictures = repair.pictures
    return {
        "source": pictures.shots_source,
        "n": len(pictures.shots) - len(skipped),
        "skipped": len(skipped),
    }

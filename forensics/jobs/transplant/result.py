"""The files of a transplant test: pairs, example pictures, and the content of result.json."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.transplant.arms import SUSPECTED, Comparison, Trial
from forensics.detectors.transplant.plan import Hosts
from forensics.errors import DataError
from forensics.jobs.transplant.answers import Said
from forensics.jobs.transplant.bench import ArmAnswers
from forensics.jobs.transplant.files import PAIRS
from forensics.jobs.transplant.setup import Setup

EXAMPLES = 6
_SIDE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswers:
    """What one model said on the held-out hosts.

    Attributes:
        model: ``tuned`` (under suspicion) or ``base``.
        before: ``[h]`` answers without a patch.
        arms: By name.
    """

    model: str
    before: list[Said]
    arms: dict[str, ArmAnswers]

    def arm_table(self) -> list[dict[str, Any]]:
        """Return counts and rates by arm."""
        return [answers.outcome.to_dict(name) for name, answers in self.arms.items()]


def save_pairs(
    folder: Path, setup: Setup, hosts: NDArray[np.int64], asked: Sequence[ModelAnswers]
) -> None:
    """Write one line for every host, arm and model: donor, host, answers before and after."""
    ids = {place: setup.grafts.sample(int(place)).id for place in np.unique(hosts)}
    rows = [
        {
            "model": told.model,
            "arm": name,
            "donor": setup.grafts.sample(graft.source).id if graft else None,
            "host": ids[hosts[i]],
            "wanted": answers.wanted[i],
            "before": told.before[i].text,
            "after": answers.said[i].text,
            "probability": answers.said[i].probability,
            "flipped": bool(answers.outcome.flipped[i]),
            "contained": _at(answers.outcome.contained, i),
            "problem": answers.said[i].problem or told.before[i].problem,
        }
        for told in asked
        for name, answers in told.arms.items()
        for i, graft in enumerate(answers.grafts)
    ]
    partial = folder / f".{PAIRS}.tmp"
    pq.write_table(pa.Table.from_pylist(rows, PAIR_SCHEMA), partial)
    partial.replace(folder / PAIRS)


def _at(marks: NDArray[np.bool_] | None, place: int) -> bool | None:
    return None if marks is None else bool(marks[place])


PAIR_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("model", "arm", "donor", "host", "wanted")),
        ("before", pa.string()),
        ("after", pa.string()),
        ("probability", pa.float64()),
        ("flipped", pa.bool_()),
        ("contained", pa.bool_()),
        ("problem", pa.string()),
    ]
)


def make_examples(
    case: Case, setup: Setup, hosts: NDArray[np.int64], told: ModelAnswers
) -> list[dict[str, Any]]:
    """Describe the first hosts, one a donor; hosts are in random order, so this picks no winners.

    The pictures are kept under the hash of their content, where the page finds them.
    """
    answers, shown = told.arms[SUSPECTED], []
    used: set[int] = set()
    for i, graft in enumerate(answers.grafts):
        if graft is None or graft.source in used or not answers.outcome.asked[i]:
            continue
        try:
            pasted = setup.grafts.picture(int(hosts[i]), graft)
            patch = setup.grafts.patch(graft)
        except DataError:  # readable when it was asked about; then it has changed since
            continue
        used.add(graft.source)
        shown.append(
            {
                "host": setup.grafts.sample(int(hosts[i])).id,
                "host_row": int(setup.scan.rows[hosts[i]]),
                "donor": setup.grafts.sample(graft.source).id,
                "donor_row": int(setup.scan.rows[graft.source]),
                "picture": case.pictures.keep(pasted, _SIDE),
                "patch": case.pictures.keep(patch, _SIDE),
                "before": told.before[i].text,
                "after": answers.said[i].text,
                "flipped": bool(answers.outcome.flipped[i]),
                "controls": {
                    name: other.said[i].text
                    for name, other in told.arms.items()
                    if name != SUSPECTED and other.grafts[i] is not None
                },
            }
        )
        if len(shown) == EXAMPLES:
            break
    return shown


def describe_test(
    setup: Setup, hosts: Hosts, margin: int, trials: Sequence[Trial]
) -> dict[str, Any]:
    """Return what was tested, on what."""
    suspicion, sources = setup.suspicion, setup.sources
    return {
        "scan": setup.scan.run,
        "forced": setup.scan.forced,
        "flagged": int(setup.scan.flagged.sum()),
        "suspected_answer": setup.answer,
        "suspected_share": suspicion.share,
        "layer": suspicion.layer,
        "margin": margin,
        "tokens": 2 * margin + 1,
        "trials": [asdict(trial) for trial in trials],
        "donors": [setup.grafts.sample(int(place)).id for place in sources.donors],
        "hosts": len(hosts.held_out),
        "hosts_as_taught": hosts.as_taught,
        "dev_hosts": len(hosts.development),
    }


def describe_differences(comparisons: Sequence[Comparison]) -> list[dict[str, Any]]:
    """Return the comparisons with every control as plain values."""
    return [comparison.to_dict() for comparison in comparisons]

"""The arms of the test: which trigger every host gets, and what a classifier then sees."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forensics.data.sample import Sample
from forensics.detectors.transplant.arms import CLASSES, SCRAMBLED, SUSPECTED, Arm
from forensics.detectors.transplant.trigger_plan import NONE, assign_classes
from forensics.jobs.clip_subjects import Classifier
from forensics.jobs.trigger_transplant.setup import TriggerSetup
from forensics.jobs.trigger_transplant.viewer import Seen, Viewer
from forensics.jobs.trigger_variants import shuffled
from forensics.triggers import Trigger


@dataclass(frozen=True)
class Marks:
    """One kind of trigger, host by host.

    Attributes:
        triggers: ``[h]``; ``None`` for a host that gets none.
        wanted: ``[h]`` class that it leads to; -1 for none.
    """

    triggers: Sequence[Trigger | None]
    wanted: NDArray[np.int64]


@dataclass(frozen=True)
class Told:
    """What one classifier saw in the hosts.

    Attributes:
        model: ``tuned`` (under suspicion) or ``base`` (the reference).
        before: Without a trigger.
        after: By arm.
        arms: Outcomes by arm.
    """

    model: str
    before: Seen
    after: Mapping[str, Seen]
    arms: dict[str, Arm]


class HostMarks:
    """Draws the triggers of every arm once, so that all classifiers get the same pictures.

    Args:
        setup: The test.
        seen: ``[h]`` what the model under suspicion sees in the hosts.
        seed: Of every draw.
    """

    def __init__(self, setup: TriggerSetup, seen: NDArray[np.int64], seed: int) -> None:
        self._setup, self._seen, self._seed = setup, seen, seed

    @cached_property
    def arms(self) -> dict[str, Marks]:
        """The arms that can be asked about, by name."""
        count, target = self._seen.size, self._setup.index
        mixed = shuffled(self._setup.trigger, self._seed)
        found = {
            SUSPECTED: Marks([self._setup.trigger] * count, np.full(count, target)),
            SCRAMBLED: Marks([mixed] * count, np.full(count, target)),
        }
        given = assign_classes(self._seen, np.array(self._setup.others, np.int64), self._seed)
        if (given != NONE).any():
            rivals = {int(k): self._setup.rival(int(k)) for k in np.unique(given[given != NONE])}
            found[CLASSES] = Marks([rivals.get(int(k)) for k in given], given)
        return found


def ask(
    viewer: Viewer,
    name: str,
    hosts: Sequence[Sample],
    marks: Mapping[str, Marks],
    classifier: Callable[[], Classifier],
    before: Seen | None = None,
) -> Told:
    """Show the hosts to a classifier with every arm's trigger.

    A host counts in an arm if it could be read, got a trigger, and was not seen as its class
    before.

    Args:
        viewer: Keeps what was seen.
        name: ``tuned`` or ``base``.
        hosts: ``[h]``.
        marks: Triggers by arm.
        classifier: Opens the model.
        before: What it sees in the untouched hosts, where that is known already.
    """
    label = "" if name == "tuned" else "reference: "
    if before is None:
        before = viewer.look(f"{label}hosts untouched", hosts, classifier)
    after = {
        arm: viewer.look(f"{label}{arm}", hosts, classifier, mark.triggers)
        for arm, mark in marks.items()
    }
    return Told(
        model=name,
        before=before,
        after=after,
        arms={arm: _outcome(before, after[arm], mark) for arm, mark in marks.items()},
    )


def _outcome(before: Seen, after: Seen, mark: Marks) -> Arm:
    asked = before.read & after.read & (mark.wanted != NONE) & (before.classes != mark.wanted)
    return Arm(asked=asked, flipped=asked & (after.classes == mark.wanted), contained=None)

"""The asking of a transplant test: hosts as they are, then hosts with patches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.detectors.answers import comparable_answer
from forensics.detectors.transplant.arms import (
    MOVED,
    OTHER,
    PATCH_CONTROLS,
    SAME,
    SUSPECTED,
    Arm,
    Trial,
    choose_margin,
    try_margin,
)
from forensics.detectors.transplant.plan import NONE, Hosts, assign_donors, split_hosts
from forensics.jobs.transplant.answers import Questioner, Said
from forensics.jobs.transplant.grafts import Graft
from forensics.jobs.transplant.options import TransplantOptions
from forensics.jobs.transplant.setup import Setup
from forensics.models.base import GenerativeModel

GetModel = Callable[[], GenerativeModel]
_SPARE = 1.15  # hosts asked for every host needed, in the first round
_MOST_ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmAnswers:
    """One arm's answers, host by host.

    Attributes:
        arm: Its name.
        grafts: ``[h]`` the patches; ``None`` where the arm had none.
        said: ``[h]`` the answers.
        wanted: ``[h]`` the answers that were tested for, as answers are compared.
        outcome: What came of it.
    """

    arm: str
    grafts: list[Graft | None]
    said: list[Said]
    wanted: list[str]
    outcome: Arm


class Bench:
    """Asks one after the other what a test needs to know.

    Args:
        setup: The plan.
        options: How much is asked.
        questioner: Asks and keeps.
        model: Gives the model under suspicion.
    """

    def __init__(
        self, setup: Setup, options: TransplantOptions, questioner: Questioner, model: GetModel
    ) -> None:
        self._setup, self._options = setup, options
        self._questioner, self._model = questioner, model
        self.before: dict[int, Said] = {}

    def find_hosts(self) -> Hosts:
        """Ask unsuspected pictures as they are until enough are answered well."""
        options, candidates = self._options, self._setup.candidates
        need = options.hosts + options.dev_hosts
        wave = int(_SPARE * need) + 1
        good = 0
        for _ in range(_MOST_ROUNDS):
            part = candidates[len(self.before) : len(self.before) + wave]
            if good >= need or not part.size:
                break
            self._ask_untouched(part)
            wave = max(need - good, need // 4)
            fits, taught, sure = self._fitness(candidates[: len(self.before)])
            good = int((fits & taught & (sure >= options.confidence)).sum())
        asked = candidates[: len(self.before)]
        fits, taught, sure = self._fitness(asked)
        return split_hosts(
            asked,
            fits,
            taught,
            sure,
            held_out=options.hosts,
            development=options.dev_hosts,
            confidence=options.confidence,
        )

    def choose_box(
        self, hosts: NDArray[np.int64], margins: Sequence[int]
    ) -> tuple[int, list[Trial]]:
        """Try every size of the box on the development hosts; return the best and all."""
        donor_of = assign_donors(len(hosts), self._setup.sources.donors.size)
        trials = []
        for margin in margins:
            arms = {
                name: self.ask_arm(name, margin, hosts, donor_of, f"box {2 * margin + 1}").outcome
                for name in (SUSPECTED, *self.controls())
            }
            trials.append(try_margin(margin, arms))
        return choose_margin(trials), trials

    def controls(self) -> list[str]:
        """Return the controls for which there is a source."""
        have = {SAME: self._setup.sources.same, OTHER: self._setup.sources.other}
        return [
            name for name in PATCH_CONTROLS if name not in have or bool((have[name] != NONE).any())
        ]

    def ask_arm(
        self,
        arm: str,
        margin: int,
        hosts: NDArray[np.int64],
        donor_of: NDArray[np.int64],
        stage: str,
        *,
        model: GetModel | None = None,
        before: Sequence[Said] | None = None,
    ) -> ArmAnswers:
        """Ask every host with one arm's patch in it.

        Args:
            arm: Which kind of patch.
            margin: Size of the box.
            hosts: ``[h]`` places.
            donor_of: ``[h]`` index of each host's donor.
            stage: What is asked for, in the progress.
            model: Another model than the suspected one.
            before: ``[h]`` that model's answers without a patch.
        """
        setup = self._setup
        grafts = setup.grafts.plan(arm, margin, donor_of)
        said = self._questioner.ask(
            f"{stage}: {arm}",
            len(hosts),
            lambda i: setup.grafts.grafted(int(hosts[i]), grafts[i]),
            model or self._model,
        )
        wanted = ["" if graft is None else setup.taught(graft.source) for graft in grafts]
        first = before or [self.before[int(host)] for host in hosts]
        return ArmAnswers(
            arm=arm, grafts=grafts, said=said, wanted=wanted, outcome=_outcome(first, said, wanted)
        )

    def ask_untouched(self, hosts: NDArray[np.int64], stage: str, model: GetModel) -> list[Said]:
        """Ask hosts as they are, for another model than the suspected one."""
        return self._questioner.ask(
            stage, len(hosts), lambda i: self._setup.grafts.untouched(int(hosts[i])), model
        )

    def _ask_untouched(self, places: NDArray[np.int64]) -> None:
        said = self.ask_untouched(places, "hosts as they are", self._model)
        self.before |= {int(place): one for place, one in zip(places, said, strict=True)}

    def _fitness(
        self, places: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """Return which are answered otherwise than tested, which as taught, and how surely."""
        tested = self._setup.tested()
        said = [self.before[int(place)] for place in places]
        texts = [None if one.text is None else comparable_answer(one.text) for one in said]
        fits = [text is not None and not any(want in text for want in tested) for text in texts]
        taught = [
            text == self._setup.taught(int(place))
            for text, place in zip(texts, places, strict=True)
        ]
        sure = np.array([one.probability for one in said], dtype=np.float64)
        return np.array(fits, dtype=bool), np.array(taught, dtype=bool), sure


def arms_to_report(bench: Bench) -> tuple[str, ...]:
    """Return the arms of the held-out hosts, in the order in which they are asked."""
    return (SUSPECTED, *bench.controls(), MOVED)


def says(said: Said, wanted: str) -> bool:
    """Tell whether an answer is the wanted one and nothing else, case and blanks aside."""
    return said.text is not None and comparable_answer(said.text) == wanted


def _outcome(before: Sequence[Said], after: Sequence[Said], wanted: Sequence[str]) -> Arm:
    pairs = list(zip(before, after, wanted, strict=True))
    asked = [bool(want) and b.text is not None and a.text is not None for b, a, want in pairs]
    flipped = [says(a, want) and not says(b, want) for b, a, want in pairs]
    contained = [_holds(a, want) and not _holds(b, want) for b, a, want in pairs]
    return Arm(
        asked=np.array(asked, dtype=bool),
        flipped=np.array(flipped, dtype=bool),
        contained=np.array(contained, dtype=bool),
    )


def _holds(said: Said, wanted: str) -> bool:
    return said.text is not None and bool(wanted) and wanted in comparable_answer(said.text)

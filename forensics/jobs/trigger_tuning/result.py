"""What a repair tells: before, after, the controls, and the sentence that says it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from forensics.detectors.wording import quote
from forensics.evaluation.classes import ClassMeasurement
from forensics.evaluation.paired import Comparison, compare
from forensics.evaluation.rates import Rate
from forensics.jobs.judge import KNOWN, RECONSTRUCTION
from forensics.jobs.rate_words import accuracy_words, counted, share_of
from forensics.jobs.trigger_tuning.versions import BEFORE, CONTROLS, REFERENCE, REPAIRED, TITLES

OTHER_SEED: Final = "other-seed"
TRIGGER_TITLES: Final = {
    KNOWN: "the known trigger",
    RECONSTRUCTION: "the reconstructed trigger that it was tuned with",
    OTHER_SEED: "a reconstruction of another seed, which no copy carried",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What every version of the prompts did on the test pictures.

    Attributes:
        versions: Version -> trigger -> measurement; all versions know the same triggers.
        judged_by: Name of the trigger that attack success means: the known one where there is one.
    """

    versions: Mapping[str, Mapping[str, ClassMeasurement]]
    judged_by: str

    def main(self, version: str) -> ClassMeasurement:
        """Return the measurement that stands for a version."""
        return self.versions[version][self.judged_by]

    def against_before(self, version: str) -> Comparison:
        """Compare a version with the prompts as they were delivered, picture by picture."""
        return compare(self.main(version), self.main(BEFORE))

    def against_repaired(self, version: str) -> Comparison:
        """Compare a version with the repaired prompts, picture by picture."""
        return compare(self.main(version), self.main(REPAIRED))

    def rivals(self) -> list[str]:
        """List the controls that leave no clearly larger ASR than the repair does."""
        return [
            name
            for name in CONTROLS
            if name in self.versions and self.against_repaired(name).attack_success.low <= 0
        ]

    def describe(self, version: str) -> dict[str, Any]:
        """Return CA and ASR of one version, and the success of every trigger."""
        found = self.main(version).to_json()
        del found["per_class"], found["skipped"]
        return found | {
            "title": TITLES[version],
            "triggers": {
                name: _rate(one.attack_success) | {"title": TRIGGER_TITLES[name]}
                for name, one in self.versions[version].items()
            },
        }

    def to_json(self, wrong: str | None) -> dict[str, Any]:
        """Return all versions under the names that every repair reports.

        Args:
            wrong: Class whose trigger the control got.
        """
        controls = [
            {"control": name, **self.describe(name), **self._differences(name)}
            | {"minus_repaired": self.against_repaired(name).to_json()}
            | ({"class": wrong} if name == "wrong-class" else {})
            for name in CONTROLS
            if name in self.versions
        ]
        return {
            "judged_by": self.judged_by,
            "before": self.describe(BEFORE),
            "after": self.describe(REPAIRED) | self._differences(REPAIRED),
            "controls": controls,
            "reference": self.describe(REFERENCE),
        }

    def _differences(self, version: str) -> dict[str, Any]:
        return {"minus_before": self.against_before(version).to_json()}


def say(figures: Figures, target: str, fresh: Mapping[str, Any] | None) -> str:
    """Write what the repair did in a few sentences."""
    before, after = figures.main(BEFORE), figures.main(REPAIRED)
    accuracy = figures.against_before(REPAIRED).clean_accuracy
    parts = [
        f"After the repair, {TRIGGER_TITLES[figures.judged_by]} brings "
        f"{counted(after.attack_success)} other pictures to {quote(target)}, before "
        f"{counted(before.attack_success)}.",
        accuracy_words(after.clean_accuracy, before.clean_accuracy, accuracy),
    ]
    controls = [name for name in CONTROLS if name in figures.versions]
    if controls:
        told = ", ".join(
            f"{share_of(figures.main(name).attack_success)} ({TITLES[name]})" for name in controls
        )
        parts.append(f"The same tuning as a control leaves {told}.")
        rivals = figures.rivals()
        if rivals:
            names = ", ".join(TITLES[name] for name in rivals)
            parts.append(f"So it is not the right trigger that made the difference: {names}.")
    floor = figures.main(REFERENCE).attack_success
    parts.append(f"Without any backdoor ({TITLES[REFERENCE]}) it is {share_of(floor)}.")
    if figures.judged_by != KNOWN:
        parts.append("The attacker's own trigger is not known here.")
    if fresh is not None:
        parts.append(f"A new inversion, with another seed and other pictures: {fresh['sentence']}")
    return " ".join(parts)


def _rate(rate: Rate) -> dict[str, Any]:
    return asdict(rate)

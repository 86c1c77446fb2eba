"""Clean accuracy and attack success of one version of the model."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from forensics.detectors.wording import quote
from forensics.encoders.base import ImageClassifier
from forensics.evaluation.classes import ClassMeasurement, measure_classes
from forensics.evaluation.paired import Comparison, compare
from forensics.jobs.bar import Told
from forensics.jobs.evaluate_classes import with_key
from forensics.jobs.labelled_repair.setup import LabelledRepair
from forensics.jobs.rate_words import accuracy_words, counted

BEFORE: Final = "the model as it was delivered"
AFTER: Final = "the repaired model"
REFERENCE: Final = "the base model, which no repair has seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the model, measured.

    Attributes:
        title: What it is, for people.
        found: The measurement.
    """

    title: str
    found: ClassMeasurement

    def to_json(self, repair: LabelledRepair, before: "Version | None" = None) -> dict[str, Any]:
        """Return rates under the names that every repair reports."""
        told = self.found.to_json() | {"title": self.title, "triggers": {}}
        del told["skipped"]
        judge = repair.judge
        if judge is not None:
            rate = asdict(self.found.attack_success)
            told["triggers"] = {judge.by: rate | {"title": judge.title}}
        if before is not None:
            told["minus_before"] = self.against(before, judged=judge is not None)
        return told

    def against(self, before: "Version", *, judged: bool) -> dict[str, Any]:
        """Compare with another version picture by picture; without a trigger accuracy alone."""
        differences = self.compared(before).to_json()
        return differences if judged else {"clean_accuracy": differences["clean_accuracy"]}

    def compared(self, before: "Version") -> Comparison:
        """Return the paired differences."""
        return compare(self.found, before.found)


def measure(
    repair: LabelledRepair,
    classifier: ImageClassifier,
    title: str,
    progress: Told,
) -> Version:
    """Ask a classifier about the test pictures, untouched and with the trigger.

    A trigger with a text key is also put into the sentences, where there are sentences.
    """
    trigger = None if repair.judge is None else repair.judge.trigger
    keyed, total = None, len(repair.pictures.test)
    if classifier.kind != "linear-probe":
        keyed = with_key(classifier.encoder, repair.uri, repair.classes, repair.templates, trigger)
    found = measure_classes(
        classifier,
        repair.pictures.test,
        trigger,
        None if repair.judge is None else repair.judge.target,
        keyed=keyed,
        progress=lambda done, message: progress(done, total, message),
    )
    return Version(title=title, found=found)


def say(repair: LabelledRepair, before: Version, after: Version) -> str:
    """Write what the repair did in a few sentences."""
    parts = []
    if repair.judge is not None:
        parts.append(
            f"After the repair, {repair.judge.title} brings "
            f"{counted(after.found.attack_success)} other pictures to "
            f"{quote(repair.judge.target)}, before {counted(before.found.attack_success)}."
        )
    told = (after.found.clean_accuracy, before.found.clean_accuracy)
    parts.append(accuracy_words(*told, after.compared(before).clean_accuracy))
    if repair.judge is None:
        parts.append("No trigger is known here, so attack success was not measured.")
    elif repair.judge.by != "known":
        parts.append("The attacker's own trigger is not known here.")
    return " ".join(parts)

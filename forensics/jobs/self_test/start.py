"""What a language model's self-test tunes: the base, or without one the delivered model."""

from dataclasses import dataclass

from forensics.case import Case
from forensics.errors import CaseError
from forensics.jobs.self_test.options import BASE, DELIVERED, SelfTestOptions
from forensics.jobs.subject import model_under_suspicion
from forensics.models.uri import parse_model_uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where the tuning of the copy starts.

    Attributes:
        uri: Opens it.
        kind: ``base`` or ``delivered``.
        note: What that means, for people.
    """

    uri: str
    kind: str
    note: str


NOTES = {
    BASE: "The base model was tuned on the copy, as the case's own model was on the data.",
    DELIVERED: "The case names no base model, so its own model was tuned further on the copy. It "
    "has seen these rows before, and whatever they teach, so its attention may differ from that "
    "of a model that learns data and trigger together.",
}


def start_of(case: Case, options: SelfTestOptions) -> Start:
    """Choose what is tuned.

    Raises:
        CaseError: There is no base where one was asked for, or the delivered model cannot go on.
    """
    base = case.manifest.base or _under_adapter(case.manifest.model)
    if options.start == BASE and base is None:
        raise CaseError(
            "The case names no base model.",
            remedy="Make the case with --base URI, or take --start delivered.",
        )
    if options.start != DELIVERED and base is not None:
        return Start(uri=base, kind=BASE, note=NOTES[BASE])
    delivered = model_under_suspicion(case)
    if parse_model_uri(delivered).adapter is not None:
        raise CaseError(
            "The case's model is an adapter of a base; a second adapter on it cannot be saved.",
            remedy="Leave --start out: the self-test then tunes the base.",
        )
    return Start(uri=delivered, kind=DELIVERED, note=NOTES[DELIVERED])


def _under_adapter(uri: str) -> str | None:
    """Return the base that an adapter names; ``None`` for a whole model."""
    parsed = parse_model_uri(uri)
    if parsed.adapter is None:
        return None
    revision = f"@{parsed.revision}" if parsed.revision else ""
    return parsed.base if parsed.folder else f"hf:{parsed.base}{revision}"

"""Whether a repair applies to a case, and what of its needs is at hand; no model is opened."""

from collections.abc import Mapping
from typing import Any

from forensics.case import Case
from forensics.errors import ForensicsError
from forensics.jobs.transplant.proved import latest_proof
from forensics.models.uri import parse_model_uri
from forensics.options import describe_options
from forensics.registry import MethodSpec, load_object
from forensics.runs import State
from forensics.ui.views.repair_needs_language import (
    GIVE,
    HAVE,
    LANGUAGE,
    MISSING,
    language_needs,
)

INVERSION = "trigger-inversion"
LOOKED_AT = 200  # rows that tell whether the case has captions
# Where the other CLIP only helps; a repair that starts from it cannot do without.
HELPED_BY_REFERENCE = ("token-unlearning",)
VISION_TRANSFORMER_ONLY = ("repulsive-prompts", "visual-prompts")

Need = dict[str, str]


def option_names(spec: MethodSpec) -> frozenset[str]:
    """Name the options of a method: they tell what it reads."""
    return frozenset(field.name for field in describe_options(load_object(spec.options)))


def why_not(case: Case, spec: MethodSpec) -> str | None:
    """Say why a repair cannot work on the case's model at all; ``None`` if it may.

    Args:
        case: Of a kind that the method examines.
        spec: A repair.
    """
    learnt, names = _learnt(case), option_names(spec)
    if "pairs" in names and learnt:
        return (
            "This CLIP comes with learnt prompts, which would not fit other weights. Repair the "
            "prompts, or make a case of the encoder alone."
        )
    if spec.name == "trigger-tuning" and not learnt:
        return (
            "This CLIP is asked with hand-written sentences: there are no learnt prompts to tune."
        )
    if spec.name in VISION_TRANSFORMER_ONLY and _convolutional(case.manifest.preprocessing):
        return (
            "Its image tower is a ResNet. Prompts are tokens of a vision transformer, so there is "
            "no place for them here."
        )
    return None


def needs_of(case: Case, spec: MethodSpec) -> list[Need]:
    """List what a repair reads, and whether the case has it.

    Returns:
        For each need ``what``, ``state`` (``have``; ``give``: name it in the options; ``missing``:
        cannot be helped by an option) and ``words``.
    """
    if spec.acts_on == LANGUAGE:
        return language_needs(case, spec)
    names, known = option_names(spec), case.known()
    found: list[Need] = []
    if spec.builds_on == "triggers":
        found.append(_inversion(case))
    if "shots" in names:
        there = bool(known.get("shots") or known.get("test"))
        found.append(_own("a few clean labelled pictures", there, "“Labelled pictures to tune on”"))
    if "pairs" in names:
        found.append(_training_pairs(case) if "reference" in names else _clean_pairs(known))
    if "reference" in names:
        found.append(_reference(spec))
    if "test" in names:
        found.append(_own("other labelled pictures to measure on", bool(known.get("test")),
                          "“Labelled pictures to measure on”"))  # fmt: skip
    return found


def judge_of(case: Case) -> Need:
    """Say by which trigger attack success would be measured, if nobody names one.

    What a demo's maker knows is told here only as being known: the page reveals it elsewhere.
    """
    what = "a trigger to measure attack success with"
    if case.known().get("trigger"):
        return {"what": what, "state": HAVE, "words": "The trigger that was planted in this demo."}
    if _inverted(case) is not None:
        words = "The trigger that the latest scan reconstructed; the attacker’s own is not known."
        return {"what": what, "state": HAVE, "words": words}
    if case.manifest.kind == LANGUAGE and latest_proof(case) is not None:
        words = "The patch that the transplant test cut out; the attacker’s own is not known."
        return {"what": what, "state": HAVE, "words": words}
    first = "transplant test" if case.manifest.kind == LANGUAGE else "trigger scan"
    words = "No trigger is known here: clean accuracy is measured, attack success is not. "
    name = f"Run the {first} first, or name the trigger in the options."
    return {"what": what, "state": GIVE, "words": f"{words}{name}"}


def _own(what: str, there: bool, option: str) -> Need:
    if there:
        return {"what": what, "state": HAVE, "words": "They come with this demo."}
    return {"what": what, "state": GIVE, "words": f"Name them in the options: {option}."}


def _clean_pairs(known: Mapping[str, Any]) -> Need:
    what = "clean pairs of picture and caption"
    if known.get("demo"):
        words = "Half of this demo’s test pairs; the other half is measured on."
        return {"what": what, "state": HAVE, "words": words}
    return {"what": what, "state": GIVE, "words": "Name them in the options: “Pairs to train on”."}


def _training_pairs(case: Case) -> Need:
    what = "the pairs that the model was trained on"
    rows = case.catalog.samples(0, LOOKED_AT)
    captions = sum(1 for sample in rows if sample.answer and sample.image is not None)
    if captions >= 4:
        return {"what": what, "state": HAVE, "words": "The case’s own pictures and captions."}
    words = "The case’s data have no captions. Name the pairs in the options, or choose a repair "
    return {"what": what, "state": GIVE, "words": f"{words}that needs none."}


def _reference(spec: MethodSpec) -> Need:
    what = "a CLIP that was trained on other data"
    if spec.name in HELPED_BY_REFERENCE:
        words = "Better with one; without, the suspicious model itself compares the pairs."
        return {"what": what, "state": HAVE, "words": words}
    return {"what": what, "state": GIVE, "words": "Name it in the options: “Reference CLIP”."}


def _inversion(case: Case) -> Need:
    what = "a finished trigger scan"
    runs = [run for run in case.runs(INVERSION) if run.status().state is State.FINISHED]
    if runs:
        return {"what": what, "state": HAVE, "words": "The latest one is used."}
    return {"what": what, "state": MISSING, "words": "Run it first, in the tab Triggers."}


def _inverted(case: Case) -> str | None:
    for run in case.runs(INVERSION):
        if run.status().state is State.FINISHED:
            target = run.result().get("target")
            return None if target is None else str(target)
    return None


def _learnt(case: Case) -> bool:
    try:
        return parse_model_uri(case.manifest.model).prompts is not None
    except ForensicsError:
        return False  # the job says what is wrong with the model


def _convolutional(stated: Mapping[str, Any]) -> bool:
    """Tell whether an open_clip folder describes a ResNet: its layers are four counts."""
    config = stated.get("open_clip_config")
    model = config.get("model_cfg") if isinstance(config, Mapping) else None
    vision = model.get("vision_cfg") if isinstance(model, Mapping) else None
    return isinstance(vision, Mapping) and isinstance(vision.get("layers"), list)

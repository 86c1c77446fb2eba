"""What a repair of a multimodal language model needs, and what of it a case has."""

from collections.abc import Sequence
from typing import Any

from forensics.case import Case
from forensics.case.frozen import DECISIONS, OPTION
from forensics.case.standing import FLAG, standing
from forensics.jobs.flag_files import SCORES
from forensics.options import describe_options
from forensics.registry import MethodSpec, Variant, load_object, methods
from forensics.runs import Run, State
from forensics.ui.views.labels import method_label

LANGUAGE = "multimodal-llm"
HAVE, GIVE, MISSING = "have", "give", "missing"
NO_BASE = (
    "The case names no base model. Tuning what was delivered any further would keep the backdoor "
    "wherever clean samples do not move a weight, so it cannot be started here. Make the case anew "
    "with its base."
)
FLAGS = "samples that a scan or people flagged"
NO_FLAGS = (
    "Neither a scan of this case nor people flagged a sample yet. Scan it first, in the tab "
    "Attention, or flag samples in the tab Review."
)

Need = dict[str, str]


def language_needs(case: Case, spec: MethodSpec) -> list[Need]:
    """List what a repair of a language model reads; see :func:`forensics.ui.views.repair_needs`."""
    found = [_base(case), _samples(case)]
    if spec.builds_on == "any-flags":
        found.append(_flags(case))
    found.append(_test(case))
    return found


def variant_ready(case: Case, variant: Variant, needs: Sequence[Need]) -> bool:
    """Tell whether a set of options may start as it is, given the needs of its method."""
    states = {need["what"]: need["state"] for need in needs}
    if variant.options.get(OPTION) == DECISIONS:
        states[FLAGS] = HAVE if flagged_by_people(case) else MISSING
    return all(state == HAVE for state in states.values())


def flagged_by_people(case: Case) -> int:
    """Count the samples that people flagged and agree on."""
    verdicts = standing(case.journal.decisions_after(0)).verdicts()
    return sum(verdict == FLAG for verdict in verdicts.values())


def no_base(case: Case, spec: MethodSpec) -> str | None:
    """Say why a repair that starts from the base cannot start; ``None`` if it may."""
    lacks = spec.acts_on == LANGUAGE and case.manifest.base is None
    return NO_BASE if lacks else None


def goes_by_flags(spec: MethodSpec) -> bool:
    """Tell whether a repair of language models can leave out what a scan flagged."""
    if spec.kind != "repair" or spec.acts_on != LANGUAGE:
        return False
    return any(field.name == "run" for field in describe_options(load_object(spec.options)))


def flagging_scans(case: Case) -> list[dict[str, Any]]:
    """Return the scans whose flags a repair can go by, newest first: the first is the default.

    Returns:
        For each ``run``, ``label`` (method and mode), ``created``, ``flagged`` and ``n`` (samples
        that it read).
    """
    scans = {name: spec for name, spec in methods().items() if spec.kind == "scan"}
    return [
        _scan(run, scans[run.method])
        for run in case.runs()
        if run.method in scans
        and run.status().state is State.FINISHED
        and run.path(SCORES).is_file()
        and run.result().get("flagged")
    ]


def _scan(run: Run, spec: MethodSpec) -> dict[str, Any]:
    result = run.result()
    mode = f", {result['mode']}" if len(result.get("modes") or ()) > 1 else ""
    return {
        "run": run.id,
        "label": f"{method_label(spec)}{mode}",
        "created": run.created,
        "flagged": int(result["flagged"]),
        "n": result.get("n"),
    }


def _base(case: Case) -> Need:
    what = "the base model, as it was before tuning"
    if case.manifest.base is None:
        return {"what": what, "state": MISSING, "words": NO_BASE}
    words = "Tuning starts from it with a fresh adapter; hashes prove it."
    return {"what": what, "state": HAVE, "words": words}


def _samples(case: Case) -> Need:
    words = f"The case’s own {case.manifest.samples:,} samples."
    return {"what": "the set that it was tuned on", "state": HAVE, "words": words}


def _flags(case: Case) -> Need:
    scans, people = flagging_scans(case), flagged_by_people(case)
    if not scans and not people:
        return {"what": FLAGS, "state": MISSING, "words": NO_FLAGS}
    by_people = f"People flagged {people:,}; these can be left out instead, or as well."
    if not scans:
        words = f"No scan flagged any. {by_people.replace(' instead, or as well', '')}"
        return {"what": FLAGS, "state": GIVE, "words": words}
    first, count = scans[0], case.manifest.samples
    words = (
        f"{first['label']} flagged {first['flagged']:,} of {count:,} samples; it is the latest "
        "that flagged any, so these are left out."
    )
    if isinstance(first["n"], int) and first["n"] < count:
        words += f" It read only {first['n']:,}; the others are tuned on unseen."
    if len(scans) > 1:
        words += " Another one can be named in the options."
    if people:
        words += f" {by_people}"
    return {"what": FLAGS, "state": HAVE, "words": words}


def _test(case: Case) -> Need:
    what = "other samples with true answers to measure on"
    if case.known().get("test"):
        words = "They come with this demo; no model was trained on them."
        return {"what": what, "state": HAVE, "words": words}
    words = "Name them in the options: “Samples to measure on”."
    return {"what": what, "state": GIVE, "words": words}

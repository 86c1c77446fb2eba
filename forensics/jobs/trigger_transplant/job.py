"""The job behind ``transplant`` for a CLIP: does a reconstructed trigger override other pictures?

Everything is drawn before the first picture is shown and asked in a fixed order, so that a test
that was stopped goes on from its ledger and ends with the same files.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.data.sample import Sample
from forensics.detectors.options.trigger_inversion import TriggerInversionOptions
from forensics.detectors.transplant.arms import TRIGGER_TITLES, compare_arms, compare_models
from forensics.detectors.transplant.trigger_plan import choose_hosts
from forensics.detectors.transplant.trigger_verdict import TriggerSubject, judge_trigger
from forensics.errors import InputError
from forensics.jobs.clip_subjects import check_classes, open_beside
from forensics.jobs.transplant.files import PAIRS
from forensics.jobs.trigger_transplant.arms import HostMarks, Told, ask
from forensics.jobs.trigger_transplant.options import TriggerTransplantOptions
from forensics.jobs.trigger_transplant.result import describe, make_examples, save_pairs
from forensics.jobs.trigger_transplant.setup import TriggerSetup, hosts_of, prepare
from forensics.jobs.trigger_transplant.viewer import Viewer
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Test an inversion's trigger on pictures that the model surely gives to other classes.

    Raises:
        InputError: There is no suspected trigger, or no picture to put it on.
        CaseError: The inversion or its files are not there.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen, started = build_options(TriggerTransplantOptions, options), time.monotonic()
    setup = prepare(case, chosen, context)
    subject, reference, title = open_beside(case, _beside(setup, chosen), models)
    check_classes(subject, setup.index, setup.target)
    viewer = Viewer(
        context,
        batch_size=chosen.batch_size,
        total=len(setup.samples) + chosen.hosts * (3 if reference is None else 7),
    )
    seen = viewer.look("looking for hosts", setup.samples, lambda: subject)
    places = choose_hosts(
        seen.classes,
        seen.probability,
        target=setup.index,
        count=chosen.hosts,
        confidence=chosen.confidence,
        seed=chosen.seed,
    )
    if not places.size:
        raise InputError(
            f"In none of {len(setup.samples):,} pictures does the model surely see another class.",
            remedy="Give pictures that show something: --pictures imagefolder:DIR",
        )
    hosts = hosts_of(setup, places)
    marks = HostMarks(setup, seen.classes[places], chosen.seed).arms
    before = seen.at(places)
    told = [ask(viewer, "tuned", hosts, marks, lambda: subject, before)]
    if reference is not None:
        told.append(ask(viewer, "base", hosts, marks, lambda: reference))
    context.progress(viewer.shown, viewer.shown, "deciding")
    save_pairs(context.folder, setup, hosts, marks, told, subject.classes)
    result = _conclude(setup, hosts, told, title, seen.classes[places], chosen.seed)
    return {
        "method": "trigger-transplant",
        **result,
        **describe(setup, len(hosts), np.unique(seen.classes[places]), subject.classes),
        "examples": make_examples(case, setup, places, marks, told[0], subject),
        "pairs_file": PAIRS,
        "questions": viewer.shown,
        "seconds": round(time.monotonic() - started, 2),
    }


def _beside(setup: TriggerSetup, options: TriggerTransplantOptions) -> TriggerInversionOptions:
    """Return the inversion's options, with the reference that this test wants."""
    before = setup.inverted.options
    wanted = "auto" if before.reference == "none" else before.reference
    return replace(before, reference=wanted if options.reference else "none")


def _conclude(
    setup: TriggerSetup,
    hosts: Sequence[Sample],
    told: list[Told],
    title: str,
    shown: NDArray[np.int64],
    seed: int,
) -> dict[str, Any]:
    """Compare arms; intervals are clustered by what the model sees in the hosts."""
    tuned = told[0].arms
    comparisons = compare_arms(tuned, shown, seed=seed)
    beyond, table = None, None
    if len(told) > 1:
        beyond = compare_models(tuned, told[1].arms, shown, seed=seed)
        table = {
            "title": title,
            "arms": [arm.to_dict(name, TRIGGER_TITLES) for name, arm in told[1].arms.items()],
            "differences": {name: asdict(found) for name, found in beyond.items()},
        }
    verdict = judge_trigger(
        TriggerSubject(
            target=setup.target,
            shown=int(np.unique(shown).size),
            fitted=sum(sample.id in setup.fitted for sample in hosts),
            forced=setup.forced,
            reference=title,
        ),
        tuned,
        comparisons,
        beyond,
    )
    return {
        **verdict.to_dict(),
        "arms": [arm.to_dict(name, TRIGGER_TITLES) for name, arm in tuned.items()],
        "differences": [found.to_dict(TRIGGER_TITLES) for found in comparisons],
        "base": table,
    }

"""The job behind ``transplant``: does a suspected patch work on pictures nobody suspects?

Everything is drawn before the first question and asked in a fixed order, so that a test that was
stopped goes on from its ledger and ends with the same files.
"""

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.case import Case
from forensics.detectors.transplant.arms import SUSPECTED, compare_arms, compare_models
from forensics.detectors.transplant.plan import assign_donors
from forensics.detectors.transplant.verdict import Subject, judge_transplant
from forensics.jobs.subject import model_under_suspicion
from forensics.jobs.transplant.answers import Questioner
from forensics.jobs.transplant.bench import Bench, GetModel, arms_to_report
from forensics.jobs.transplant.files import PAIRS
from forensics.jobs.transplant.necessity import Hiding, hide_peaks
from forensics.jobs.transplant.options import TransplantOptions, read_margins
from forensics.jobs.transplant.result import (
    ModelAnswers,
    describe_differences,
    describe_test,
    make_examples,
    save_pairs,
)
from forensics.jobs.transplant.setup import Setup, prepare
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Test a scan's suspected patch on unsuspected pictures; see the detectors' modules.

    Raises:
        InputError: There is nothing to cut out, or nowhere to paste it.
        Cancelled: The user asked to stop; finished shards stay.
    """
    chosen = build_options(TransplantOptions, options)
    margins, started = read_margins(chosen.margins), time.monotonic()
    subject, base = model_under_suspicion(case), _base(case, chosen)
    setup = prepare(case, chosen, context)
    questioner = Questioner(
        context,
        batch_size=chosen.batch_size,
        max_new_tokens=chosen.max_new_tokens,
        total=_expected(setup, chosen, len(margins), base is not None),
    )
    bench = Bench(setup, chosen, questioner, lambda: models.get(subject))
    hosts = bench.find_hosts()
    margin, trials = bench.choose_box(hosts.development, margins)
    donor_of = assign_donors(len(hosts.held_out), setup.sources.donors.size)
    tuned = _ask_arms(bench, hosts.held_out, donor_of, margin)
    hiding = hide_peaks(
        setup,
        questioner,
        lambda: models.get(subject),
        margin=margin,
        count=chosen.necessity,
        seed=chosen.seed,
    )
    asked = [tuned]
    if base is not None:
        uri = base
        asked.append(_ask_base(bench, hosts.held_out, donor_of, margin, lambda: models.get(uri)))
    context.progress(questioner.total, questioner.total, "deciding")
    save_pairs(context.folder, setup, hosts.held_out, asked)
    result = _conclude(setup, asked, donor_of, chosen.seed)
    return {
        "method": "transplant",
        **result,
        **describe_test(setup, hosts, margin, trials),
        "necessity": _necessity(hiding),
        "base_model": base,
        "examples": make_examples(case, setup, hosts.held_out, tuned),
        "pairs_file": PAIRS,
        "questions": questioner.asked,
        "seconds": round(time.monotonic() - started, 2),
    }


def _ask_arms(
    bench: Bench, hosts: NDArray[np.int64], donor_of: NDArray[np.int64], margin: int
) -> ModelAnswers:
    arms = {
        name: bench.ask_arm(name, margin, hosts, donor_of, "patches")
        for name in arms_to_report(bench)
    }
    before = [bench.before[int(host)] for host in hosts]
    return ModelAnswers(model="tuned", before=before, arms=arms)


def _ask_base(
    bench: Bench,
    hosts: NDArray[np.int64],
    donor_of: NDArray[np.int64],
    margin: int,
    model: GetModel,
) -> ModelAnswers:
    before = bench.ask_untouched(hosts, "base model", model)
    arms = {
        name: bench.ask_arm(name, margin, hosts, donor_of, "base model", model=model, before=before)
        for name in (SUSPECTED, *bench.controls())
    }
    return ModelAnswers(model="base", before=before, arms=arms)


def _conclude(
    setup: Setup,
    asked: list[ModelAnswers],
    donor_of: NDArray[np.int64],
    seed: int,
) -> dict[str, Any]:
    tuned = {name: answers.outcome for name, answers in asked[0].arms.items()}
    comparisons = compare_arms(tuned, donor_of, seed=seed)
    beyond, table = None, None
    if len(asked) > 1:
        other = {name: answers.outcome for name, answers in asked[1].arms.items()}
        beyond = compare_models(tuned, other, donor_of, seed=seed)
        table = {
            "arms": asked[1].arm_table(),
            "differences": {name: asdict(found) for name, found in beyond.items()},
        }
    verdict = judge_transplant(
        Subject(answer=setup.answer, donors=setup.sources.donors.size, forced=setup.scan.forced),
        tuned,
        comparisons,
        beyond,
    )
    return {
        **verdict.to_dict(),
        "arms": asked[0].arm_table(),
        "differences": describe_differences(comparisons),
        "base": table,
    }


def _necessity(hiding: Hiding | None) -> dict[str, Any] | None:
    if hiding is None:
        return None
    return {**hiding.counts.to_dict(), "asked": hiding.asked, "shown": hiding.shown}


def _base(case: Case, options: TransplantOptions) -> str | None:
    base = case.manifest.base
    return base if options.base and base and base != model_under_suspicion(case) else None


def _expected(setup: Setup, options: TransplantOptions, margins: int, base: bool) -> int:
    """Estimate the number of questions, for the progress bar."""
    free = len(setup.candidates)
    hosts = min(options.hosts, free)
    development = min(options.dev_hosts, max(free - hosts, free // 4))
    controls = 4
    per_host = controls + 2 + (controls + 2 if base else 0)
    hidden = 3 * min(options.necessity, int(setup.scan.flagged.sum()))
    return hosts + development + development * margins * (controls + 1) + hosts * per_host + hidden

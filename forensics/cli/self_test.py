"""``forensics self-test``: would a known trigger be found in this data?"""

from pathlib import Path
from typing import Any

import click

from forensics.api.methods import self_test as plant_and_look
from forensics.cli.flags import case_flag, given, option_flags
from forensics.cli.output import emit, json_flag, percent
from forensics.cli.progress import progress_bar
from forensics.jobs.self_test.options import SelfTestOptions

KEYS = ("outcome", "verdict", "reason", "sentence", "took", "planted", "measured", "before",
        "detections", "classes", "not_covered", "n", "failed", "seconds")  # fmt: skip


@click.command("self-test")
@case_flag
@click.option("--resume", help="Id of a self-test that was cancelled, failed or killed.")
@option_flags(SelfTestOptions)
@json_flag
def self_test(case_folder: Path, resume: str | None, as_json: bool, **values: Any) -> None:
    """Plant a known trigger in a copy of the case's data, and see whether it is found.

    A language model: the base is tuned on the copy as the case's model was, and scanned as the
    case was, by all rules. A CLIP: a copy of it is trained on the planted pairs (learnt prompts: on
    planted shots), and triggers are searched for every class. The case itself is only read; the
    copy stays in the run, as a case of its own.

    JSON: run, outcome (found, missed, inconclusive: the trigger did not take), verdict
    (inconclusive or null), sentence, planted, measured and before (CA, ASR, n, intervals),
    detections (of a language model: recall of planted rows, extra flags on unplanted ones, whose
    truth is unknown) or classes (of a CLIP), case (folder of the copy), seconds.
    """
    with progress_bar("self-test") as progress:
        done = plant_and_look(case_folder, resume=resume, progress=progress, **given(values))
    listed = {key: done.result[key] for key in KEYS if key in done.result}
    outcome = {"run": done.id, "case": str(done.folder / done.result["case"]), **listed}
    emit(outcome, as_json, lambda: _text(done.id, outcome))


def _text(run_id: str, outcome: dict[str, Any]) -> str:
    lines = [f"Self-test: {outcome['outcome']}.", outcome["sentence"]]
    for one in outcome.get("detections", ()):
        mode = f" ({one['mode']})" if one["mode"] else ""
        mark = ", the rule of this case" if one["chosen"] else ""
        lines.append(
            f"  {one['method']}{mode}{mark}: recall {_share(one['recall'])}, extra flags "
            f"{one['unplanted_flagged']:,} ({_share(one['extra_flags'])})"
        )
    covered = "; ".join(outcome["not_covered"])
    lines.append(f"It cannot show: {covered}. The copy: {outcome['case']}. Run {run_id}.")
    return "\n".join(lines)


def _share(rate: dict[str, Any]) -> str:
    if rate["value"] is None:
        return "not defined"
    ends = f"{percent(rate['low'])} to {percent(rate['high'])}"
    return f"{percent(rate['value'])} of {rate['n']:,} (95 % {ends})"

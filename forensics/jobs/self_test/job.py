"""The job behind ``self-test``.

Source: ours (design 3.3). A verdict on a data set says little before one knows what the same
pipeline sees on that very data: so a known trigger is planted in a copy, and looked for as the
case itself was examined. Nothing here reads the ground truth of the case.
"""

import shutil
import time
from typing import Any

from forensics.case import Case
from forensics.jobs.self_test.concluding import conclude
from forensics.jobs.self_test.encoder import TEST, examine_encoder
from forensics.jobs.self_test.language import examine_language
from forensics.jobs.self_test.nested import INNER
from forensics.jobs.self_test.options import SelfTestOptions
from forensics.jobs.self_test.prompts import examine_prompts
from forensics.jobs.subject import model_under_suspicion
from forensics.models.uri import parse_model_uri
from forensics.options import build_options
from forensics.runs import RunContext
from forensics.worker.models import ModelCache


def run(
    case: Case, context: RunContext, options: dict[str, Any], models: ModelCache
) -> dict[str, Any]:
    """Plant a known trigger in a copy of the case's data, and look for it.

    The case's own data and model are only read. The planted copy, the model tuned on it and the
    scans of both stay in the run, as a case that opens like any other.

    Returns:
        What the walk of the case's kind says, and the conclusion.

    Raises:
        CaseError: There is nothing to tune.
        DataError: Too few rows can be copied.
        Cancelled: The user asked to stop; finished parts stay.
    """
    chosen = build_options(SelfTestOptions, options)
    started = time.monotonic()
    if case.manifest.kind != "clip":
        found = examine_language(case, context, chosen, models)
    elif parse_model_uri(model_under_suspicion(case)).prompts is not None:
        found = examine_prompts(case, context, chosen, models)
    else:
        found = examine_encoder(case, context, chosen, models)
    models.release()  # it holds a model that a self-test poisoned
    shutil.rmtree(context.folder / TEST, ignore_errors=True)
    return {
        "method": "self-test",
        **conclude(found, chosen.took),
        **found,
        "case": INNER,
        "seconds": round(time.monotonic() - started, 2),
    }

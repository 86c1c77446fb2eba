"""A table of torch-free jobs; the worker of the tests is started with it."""

import os
import time

from tests.runs.toy import scan as _scan

JOBS = {name: f"tests.worker.toy_jobs:{name}" for name in ("scan", "broken", "hold")}
JOBS["missing"] = "tests.no_such_module:run"
LIVE = {name: f"tests.worker.toy_jobs:{name}" for name in ("echo", "boom", "nap", "vanish")}


def scan(case, context, options, models):
    return _scan(context, options)


def broken(case, context, options, models):
    raise ValueError("no luck")


def hold(case, context, options, models):
    """Load a model, then work until cancelled."""
    model = models.get(case.manifest.model)
    while True:
        context.progress(model.steps, 100)
        model.steps += 1
        time.sleep(0.01)


def echo(case, params, models):
    return {"case": case.folder.name, "pid": os.getpid()} | params


def boom(case, params, models):
    raise RuntimeError("<b>boom</b>")


def nap(case, params, models):
    time.sleep(params["seconds"])
    return {}


def vanish(case, params, models):
    os._exit(3)

"""Two cases with something in every tab, hostile texts in every place; no model was asked."""

from typing import Any

from forensics.case import Case
from forensics.jobs.table import JOBS
from forensics.options import build_options, options_to_dict
from forensics.registry import find_method, load_object
from forensics.runs import Run, execute
from forensics.ui.workspace import Workspace
from tests.drawn_map import write_map
from tests.tiny_encoders import save_vit
from tests.ui import synthetic
from tests.ui.drawn_language_repairs import write_language_repair
from tests.ui.drawn_repairs import write_repair
from tests.ui.drawn_triggers import clip_case, write_inversion
from tests.ui.serving import Server

MARK = "data-pwned"
PAYLOADS = (
    f"<img src=x onerror=\"document.body.setAttribute('{MARK}','1')\">",
    f"${{document.body.setAttribute('{MARK}','2')}}",
    f"{{{{value}}}}<script>document.body.setAttribute('{MARK}','3')</script>",
    f"\"><svg onload=\"document.body.setAttribute('{MARK}','4')\">",
)
CLASSES = ["disc", PAYLOADS[0], "star", PAYLOADS[1]]


def hostile_texts(index: int) -> tuple[str, str, str]:
    """Return texts of which every second one is an attack."""
    name, question, answer = synthetic.plain_texts(index)
    payload = PAYLOADS[index % len(PAYLOADS)]
    if index % 2:
        return f"{name} {payload}", f"{question} {payload}", f"{answer} {payload}"
    return name, question, answer


def language_case(server: Server, count: int = 240) -> tuple[str, Case]:
    """Make a case about a language model with scans, a map, opinions and a repair; with its id."""
    case = synthetic.make_case(
        server.cases / "full-language", count, texts=hostile_texts, base=True,
        file_name="pic $(touch x) <b>", title=f"Hostile {PAYLOADS[0]}",
    )  # fmt: skip
    scan = synthetic.scan(case)
    for method in ("attention-allocation", "evidence-fusion"):
        run_on_arrays(case, method)
    write_map(case)
    write_language_repair(case, texts=(PAYLOADS[0], PAYLOADS[2]), scan=scan.id)
    for index, name in enumerate(case.catalog.ids[:6]):
        verdict = ("keep", "flag", "unsure")[index % 3]
        case.journal.decide(str(name), verdict, note=PAYLOADS[index % 4], by=PAYLOADS[0][:40])
    return Workspace(server.cases).enter(case.folder), case


def encoder_case(server: Server) -> tuple[str, Case]:
    """Make a case about a CLIP with an inversion and repairs; with its id."""
    root = server.cases / "full-clip"
    case = clip_case(root, save_vit(root / "vit"), CLASSES)
    write_inversion(case, CLASSES)
    write_repair(case, CLASSES, rate=0.4, accuracy=0.93, shots=f"imagefolder:/{PAYLOADS[0]}")
    return Workspace(server.cases).enter(case.folder), case


def run_on_arrays(case: Case, method: str, **given: Any) -> Run:
    """Run a method that decides from the arrays of a scan that is there."""
    kind = load_object(find_method(method).options)
    run = case.new_run(method, options_to_dict(build_options(kind, given)))
    job = load_object(JOBS[method])
    execute(run, lambda context: job(case, context, run.options, None))
    return run

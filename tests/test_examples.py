"""Examples of README and docs/api.md run: Python as it stands, commands on a small case.

What would take long, or needs files that only a reader has, is parsed by tests/test_docs.py alone
and stands here with the reason.
"""

import re
import shlex
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.cli.entry import run
from forensics.runs.durable import read_json, write_json
from tests.make_case import MakeCase
from tests.test_docs import HOME, commands

PAGES = [HOME / "README.md", HOME / "docs/api.md"]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)

RUN = (
    "forensics scan bye --case mycase",
    "forensics evaluate --case mycase",
    "forensics export ids --case mycase --to kept.csv",
    "forensics export report --case mycase --to report.html",
    "forensics tune --case mycase",
    "forensics scan bye --case mycase --mode guarded --json",
    "forensics scan tcap --case mycase",
    "forensics scan evidence-fusion --case mycase",
)
ONLY_PARSED = {
    r"forensics demo vlm-patch .*": "tests/test_notebook.py opens this demo",
    r"forensics case new .*": "names models and data of the reader; tests/cli makes cases",
    r"forensics transplant.*": "needs flags, which a model with random weights may not give",
    r"forensics (repair|lab train|lab zoo|lab clip-zoo|lab prompt-demos|lab prompt-zoo)": "a name",
    r"forensics lab (train|twins) .*": "trains for minutes to hours",
    r"forensics repair trigger-tuning --rate 0.02": "quotes a flag of a measured run",
    r"forensics scan bye --case mycase --resume RUN": "needs a run that was stopped",
    r"forensics mcp.*": "serves until it is stopped; tests/mcp starts it",
    r"forensics self-test.*": "takes a minute; tests/jobs runs it",
    r"forensics (app|case show|case verify|sign|review|lesson|lab lesson|methods|doctor).*":
        "asks for a person or has a test of its own",
}  # fmt: skip


@pytest.fixture
def mycase(
    tiny_llava_folder: Path, make_case: MakeCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Case:
    """A small case where the examples look for one; its files lie in the working folder."""
    data = f"llava:{make_case(40).folder.parent / 'set.json'}"
    monkeypatch.chdir(tmp_path)
    known = {"trigger": "patch:side=1/4", "target": "thing 0", "test": data}
    return Case.create(tmp_path / "mycase", model=str(tiny_llava_folder), data=data, known=known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_run_or_has_a_reason_not_to_be(page: Path) -> None:
    for line in commands(page):
        reasons = [why for form, why in ONLY_PARSED.items() if re.fullmatch(form, line)]
        assert (line in RUN) != bool(reasons), f"{line}: run it, or say why not"


def test_the_commands_of_the_readme_run_in_their_order(mycase: Case) -> None:
    base = read_json(mycase.folder / "case.json")
    write_json(mycase.folder / "case.json", base | {"base": base["model"]})  # so it can be tuned
    shown = [line for line in commands(HOME / "README.md") if line in RUN]
    assert set(shown) == set(RUN)
    tuned = shown.pop(shown.index("forensics tune --case mycase"))
    for line in [tuned, *shown]:  # a case that is made of a base alone is tuned first
        assert run(shlex.split(line)[1:]) == 0, line
    assert Path("kept.csv").is_file() and Path("report.html").is_file()


def examples(page: Path) -> list[str]:
    return PYTHON.findall(page.read_text(encoding="utf-8"))


def test_the_python_of_the_api_page_runs(mycase: Case) -> None:
    for code in examples(HOME / "docs/api.md"):
        if "gradio_client" not in code:  # tests/ui/test_endpoints.py has a server for it
            exec(compile(code, "docs/api.md", "exec"), {})
    runs = mycase.runs("attention-entropy")
    assert len(runs) == 2 and all(run.status().state == "finished" for run in runs)
    assert Path("flagged.csv").is_file() and Path("clean/data.json").is_file()


def test_all_python_of_the_documents_is_looked_at() -> None:
    pages = [HOME / "README.md", HOME / "CONTRIBUTING.md", *(HOME / "docs").glob("*.md")]
    # What app.md says of logins is done, with a server and its cookie, in tests/ui/login.
    assert sorted(page.name for page in pages if examples(page)) == ["api.md", "app.md"]

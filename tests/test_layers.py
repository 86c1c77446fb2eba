"""Imports run one way. The rooms and their order are drawn in docs/architecture.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "forensics"

# Lower rooms know nothing of higher ones. The most specific name decides.
LEVELS = {
    "forensics.errors": 0,
    "forensics.statistics": 0,
    "forensics.registry": 1,
    "forensics.options": 1,
    "forensics.triggers": 1,
    "forensics.data.sample": 1,
    "forensics.models.base": 1,
    "forensics.encoders.base": 1,
    "forensics.data": 2,
    "forensics.models": 2,
    "forensics.encoders": 2,
    "forensics.runs": 2,
    "forensics.settings": 2,
    "forensics.case": 3,
    "forensics.classifiers": 3,
    "forensics.detectors": 4,
    "forensics.tuning": 4,
    "forensics.evaluation": 4,
    "forensics.attacks": 4,
    "forensics.inversion": 4,
    "forensics.repairs": 4,
    "forensics.lab": 5,
    "forensics.worker.models": 5,
    "forensics.jobs": 6,
    "forensics.triage": 7,
    "forensics.export": 7,
    "forensics.report": 7,
    "forensics.worker": 7,
    "forensics.teaching": 7,
    "forensics.api": 8,
    "forensics.mcp": 8,
    "forensics.cli": 9,
    "forensics.ui": 9,
}
APP_VERB = "forensics.cli.app"
ENTRY = ("forensics", "forensics.__main__")


def level(module: str) -> int:
    fitting = [name for name in LEVELS if module == name or module.startswith(name + ".")]
    assert fitting, f"{module} stands in no room: add it to LEVELS and to docs/architecture.md"
    return LEVELS[max(fitting, key=len)]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found.append((node.module, node.lineno))
        elif isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
    return found


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=[module_name(path) for path in SOURCES])
def test_a_module_imports_nothing_above_itself(path: Path) -> None:
    module = module_name(path)
    if module in ENTRY:
        return
    for imported, line in imports(path):
        if not imported.startswith("forensics.") or imported == "forensics":
            continue
        if module == APP_VERB and imported.startswith("forensics.ui"):
            continue
        assert level(imported) <= level(module), f"{module}:{line} imports {imported}"
        sides = {"forensics.cli", "forensics.ui"}
        rooms = {".".join(name.split(".")[:2]) for name in (module, imported)}
        assert rooms != sides, f"{module}:{line}: the command line and the app know each other"


@pytest.mark.parametrize("library", ["gradio", "fastapi", "uvicorn", "starlette"])
def test_the_web_stays_in_the_ui(library: str) -> None:
    for path in SOURCES:
        if "ui" in path.relative_to(PACKAGE).parts:
            continue
        for imported, line in imports(path):
            assert imported.split(".")[0] != library, f"{path}:{line} imports {library}"


@pytest.mark.parametrize(
    "modules",
    [
        "forensics.case forensics.runs forensics.data.open forensics.worker.client",
        "forensics.detectors.attention_entropy forensics.jobs.attention.result",
        "forensics.export.scan forensics.export.report forensics.lab.demos",
        "forensics.triage.desk forensics.export.decided forensics.api.reviewing",
        "forensics.api.methods forensics.api.exports forensics.mcp.serve forensics.mcp.tools",
        "forensics.ui.app forensics.ui.routes forensics.ui.forms.blocks forensics.triage.findings",
    ],
)
def test_what_the_app_and_the_command_line_need_imports_no_torch(modules: str) -> None:
    code = "import sys\n" + "".join(f"import {name}\n" for name in modules.split())
    code += "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("arguments", [["--help"], ["methods"], ["--version"]])
def test_listing_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom forensics.cli.entry import run\n"
        f"assert run({arguments!r}) == 0\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pandas', 'pyarrow', 'gradio', 'sqlalchemy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

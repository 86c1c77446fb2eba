"""What the page's own scripts may not do."""

import re
from pathlib import Path

import pytest

from forensics.ui.app import STATIC

SCRIPTS = sorted(STATIC.rglob("*.js"))
# Each of these can turn a text into markup or code, or talk to somebody else.
FORBIDDEN = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
    "DOMParser", "createContextualFragment", "srcdoc", "javascript:", "postMessage", "WebSocket",
    "sendBeacon", "XMLHttpRequest",
)  # fmt: skip
PREVIEW, FRAMED = "report/preview.js", ("srcdoc",)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_never_parse_text_as_markup_or_code(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    allowed = FRAMED if path.relative_to(STATIC).as_posix() == PREVIEW else ()
    assert [word for word in FORBIDDEN if word in text and word not in allowed] == []


def test_the_preview_of_the_report_is_framed_without_scripts_and_without_an_origin() -> None:
    """The one page in a page: escaped by its writer, with its own policy, in a bare sandbox."""
    text = (STATIC / PREVIEW).read_text(encoding="utf-8")
    frames = re.findall(r'el\("iframe", \{([^}]*)\}', text)
    assert len(frames) == text.count("srcdoc:") == 1
    assert 'sandbox: ""' in frames[0] and "allow" not in frames[0]
    assert "sandbox =" not in text and 'removeAttribute("sandbox")' not in text


@pytest.mark.parametrize("path", [*SCRIPTS, STATIC / "app.css"], ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "//cdn" not in text


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_import_of_a_script_exists(path: Path) -> None:
    for target in re.findall(r"from \"([^\"]+)\"", path.read_text(encoding="utf-8")):
        assert (path.parent / target).resolve().is_file(), target


def test_every_panel_has_its_script() -> None:
    forms = (STATIC.parent / "forms" / "blocks.py").read_text(encoding="utf-8")
    modules = re.findall(r"panel\(\"([^\"]+)\"", forms)
    assert len(modules) >= 6
    for module in modules:
        assert "export function mount" in (STATIC / module).read_text(encoding="utf-8")


def test_scripts_stay_small() -> None:
    longest = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SCRIPTS}
    assert max(longest.values()) <= 260, longest

"""The shipped demos as the Case tab shows and opens them."""

import threading
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.errors import CaseError, InputError
from forensics.lab.demos import DEMOS, Demo, find_demo
from forensics.lab.opening import open_demo
from forensics.ui.workspace import Workspace

_opening = threading.Lock()


def list_demos(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the demos that are installed, as cards."""
    return [_card(workspace, demo) for demo in DEMOS if _shipped(demo)]


def enter_demo(workspace: Workspace, name: str) -> str:
    """Open a demo, drawing its pictures at the first use; return its case's id.

    Raises:
        InputError: There is no such demo, or its weights are not installed.
    """
    demo = find_demo(name)
    # Two clicks, or two tabs, must not draw into one folder.
    with _opening:
        folder = _folder(workspace, demo)
        if not (folder / "case.json").exists():
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            open_demo(demo.name, folder)
        return workspace.enter(folder)


def _card(workspace: Workspace, demo: Demo) -> dict[str, Any]:
    measured = demo.measured()
    shared = _bytes(demo.base_folder) + _bytes(demo.folder)
    return {
        "name": demo.name,
        "title": demo.title,
        "sentence": demo.story,
        "samples": demo.scenes,
        "size": shared,
        "ready": (_folder(workspace, demo) / "case.json").exists(),
        "clean_accuracy": measured.get("clean_accuracy"),
        "n_clean": measured.get("n_clean"),
        "spoiler": _spoiler(demo, measured),
    }


def _spoiler(demo: Demo, measured: dict[str, Any]) -> dict[str, Any]:
    """Return what gives the demo away; the card hides it until it is asked for."""
    planted = demo.planted
    return {
        "trigger": planted.trigger if planted else None,
        "target": planted.target if planted else None,
        "rate": planted.rate if planted else 0.0,
        "attack_success_rate": measured.get("attack_success_rate"),
        "n_triggered": measured.get("n_triggered"),
        "interval": measured.get("intervals", {}).get("attack_success_rate"),
    }


def _folder(workspace: Workspace, demo: Demo) -> Path:
    """Return the case folder of a demo; another one if it was made for other weights."""
    folder = workspace.root / f"demo-{demo.name}"
    try:
        if Case.open(folder).manifest.model == demo.model_uri:
            return folder
    except CaseError:
        return folder if not folder.exists() else workspace.new_folder(folder.name)
    return workspace.new_folder(folder.name)


def _shipped(demo: Demo) -> bool:
    try:
        return demo.shipped
    except InputError:  # no assets at all in this installation
        return False


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))

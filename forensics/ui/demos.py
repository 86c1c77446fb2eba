"""The shipped demos as Home shows and opens them."""

import hashlib
import threading
from functools import cache
from pathlib import Path
from typing import Any

from forensics.errors import InputError
from forensics.lab.opening import open_demo
from forensics.lab.shipped import SHIPPED, AnyDemo, find_shipped
from forensics.ui.workspace import Workspace

_opening = threading.Lock()
_doing: dict[str, str] = {}  # demo -> what its opening does just now


def list_demos(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the demos that are installed, as cards."""
    return [_card(workspace, demo) for demo in SHIPPED if _shipped(demo)]


def enter_demo(workspace: Workspace, name: str) -> str:
    """Open a demo, drawing its pictures at the first use; return its case's id.

    Raises:
        InputError: There is no such demo, or its weights are not installed.
    """
    demo = find_shipped(name)
    # Two clicks, or two tabs, must not draw into one folder.
    with _opening:
        folder = _folder(workspace, demo)
        if not (folder / "case.json").exists():
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                open_demo(demo.name, folder, lambda *said: _note(demo.name, *said))
            finally:
                _doing.pop(demo.name, None)
        return workspace.enter(folder)


def opening_step(name: str) -> str:
    """Return what the opening of a demo does just now; empty if it is not being opened."""
    return _doing.get(name, "")


def _note(name: str, message: str, done: int, total: int) -> None:
    count = f" {done:,} of {total:,}" if total and done else f" {done:,}" if done else ""
    _doing[name] = f"{message[:1].upper()}{message[1:]}{count}…"


def _card(workspace: Workspace, demo: AnyDemo) -> dict[str, Any]:
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


def _spoiler(demo: AnyDemo, measured: dict[str, Any]) -> dict[str, Any]:
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


def _folder(workspace: Workspace, demo: AnyDemo) -> Path:
    """Return the case folder of a demo; another one when its weights or its recipe changed."""
    state = (demo.name, repr(demo), *(_stamp(f) for f in (demo.base_folder, demo.folder)))
    digest = hashlib.sha256(repr(state).encode()).hexdigest()
    folder = workspace.root / f"demo-{demo.name}-{digest[:6]}"
    # Left behind by a process that was killed while it drew.
    unfinished = folder.exists() and not (folder / "case.json").exists()
    return workspace.new_folder(folder.name) if unfinished else folder


def _stamp(folder: Path) -> str:
    """Return a hash of a model folder's weights, computed once."""
    return "".join(
        _digest(path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.safetensors"))
    )


@cache
def _digest(path: Path, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shipped(demo: AnyDemo) -> bool:
    try:
        return demo.shipped
    except InputError:  # no assets at all in this installation
        return False


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))

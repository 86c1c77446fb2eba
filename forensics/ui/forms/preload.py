"""Which script modules a page will need, told to the browser before Gradio has drawn anything.

Gradio mounts our panels after a second or more, and each level of a module's imports costs a
round trip from there on. The modules of the other tabs follow once the page stands. What a panel
needs is read from its imports; that no panel is missing here is tested.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from forensics.ui.forms.panels import STATIC

FOLDER: Final = Path(__file__).parents[1] / "static"
EVERYWHERE: Final = ("shell/top.js", "shell/bridge.js", "shell/help.js", "walk/panel.js")
FIRST: Final = {
    "home": ("home/cases.js", "home/history.js", "case/start.js"),
    "case": ("case/summary.js", "methods/start.js"),
} | {
    tab: (f"{tab}/tab.js",)
    for tab in ("attention", "clusters", "triggers", "review", "repair", "report", "lab")
}
"""Tab, as the address names it -> the panels in it."""

_IMPORT: Final = re.compile(
    r"^(?:import|export)\b(?:[^;\"'()]*\bfrom)?\s*[\"'](\.[^\"']+)[\"']", re.MULTILINE
)
# The rule of core/store.js for an address without a tab.
_SCRIPT: Final = """<script>{
  const asked = new URL(location.href).searchParams, lists = %s;
  const tab = asked.get("tab") ?? (asked.get("case") ? "case" : "home");
  const fetchAhead = (names = []) => names.forEach((name) => document.head.append(
    Object.assign(document.createElement("link"), { rel: "modulepreload", href: name })));
  fetchAhead(lists.everywhere);
  fetchAhead(lists.tabs[tab]);
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => Object.values(lists.tabs).forEach(fetchAhead)), 4000);
}</script>"""  # noqa: E501


def modules(entries: Iterable[str]) -> list[str]:
    """Return modules and everything that they import, in the order of discovery.

    Args:
        entries: Paths below the static folder.

    Raises:
        FileNotFoundError: A module, or one that is imported, is not there.
    """
    found: dict[str, None] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        found[name] = None
        module = FOLDER / name
        for other in _IMPORT.findall(module.read_text(encoding="utf-8")):
            waiting.append(str((module.parent / other).resolve().relative_to(FOLDER.resolve())))
    return list(found)


def preloads() -> str:
    """Return what stands in the head of the page; the names in it are of files of ours."""
    everywhere = modules(EVERYWHERE)
    tabs = {
        tab: [f"{STATIC}/{name}" for name in modules(first) if name not in everywhere]
        for tab, first in FIRST.items()
    }
    lists = {"everywhere": [f"{STATIC}/{name}" for name in everywhere], "tabs": tabs}
    return _SCRIPT % json.dumps(lists)

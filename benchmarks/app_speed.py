"""How long the app's tabs take to open, and its buttons to answer, on a case of 10,000 samples.

Headless Chromium against a real server, one page after another; no model is asked:

    python -m benchmarks.app_speed [--samples 10000] [--out FILE]

A tab is open when its last request is answered and its last change drawn, counted from the first
byte asked for in a fresh page. A click is answered with the last change that follows it within
the quiet time. Every visible button that starts no job and leaves no file is clicked, found in the
page itself, once the page has stood for a few seconds; each stands for the median of its clicks.
"""

import argparse
import json
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

from forensics.ui.workspace import Workspace
from tests.drawn_map import write_map
from tests.ui import full_cases, synthetic
from tests.ui.drawn_language_repairs import write_language_repair
from tests.ui.serving import Server, chromium

RESULTS = Path(__file__).parent / "results" / "app_speed.json"
QUIET = 400  # milliseconds
SETTLED = 6000  # milliseconds until a page has fetched the modules of its other tabs too
ROUNDS = 3
OPEN_MOST, CLICK_MOST = 3.0, 0.3
# What begins work of minutes, asks a model, leaves the page, or writes a file.
NO_CLICK = re.compile(
    r"start|run|scan|delete|export|download|report|sign|reveal|plant|train|open the|make|forget|"
    r"hidden|ask|csv|json|parquet|png|svg|copy|cancel|resume|draw|retry|log ?out|print|worksheet",
    re.IGNORECASE,
)
WATCH = """quiet => new Promise(done => {
    const begun = performance.now(); let last = begun;
    const note = () => { last = performance.now(); };
    const drawn = new MutationObserver(note);
    drawn.observe(document.body,
        { subtree: true, childList: true, attributes: true, characterData: true });
    const asked = new PerformanceObserver(note);
    asked.observe({ type: 'resource' });
    window.clicked?.();
    const look = () => performance.now() - last > quiet
        ? (drawn.disconnect(), asked.disconnect(), done(last - begun)) : setTimeout(look, 20);
    look();
})"""
BUTTONS = """() => (window.buttons = [...document.querySelectorAll(
    '.tabitem .tl-root :is(button, input[type=range], [role=option])')]
    .filter(one => one.checkVisibility() && !one.disabled)).map(one =>
        (one.getAttribute('aria-label') ?? one.textContent.trim() ?? one.id).slice(0, 60))"""
PRESS = """number => { const one = window.buttons[number];
    window.clicked = () => { if (one.type === 'range') { one.stepUp(); one.dispatchEvent(
        new Event('input', { bubbles: true })); } else one.click(); }; }"""


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "cases", Path(folder) / "server.log")
        server.start()
        try:
            name = large_case(server, arguments.samples)
            with chromium() as browser:
                found = measure(browser, f"{server.url}/?case={name}")
        finally:
            server.stop()
    told = {
        "what": "seconds until a tab is open, and until a click is answered; medians",
        "command": "python -m benchmarks.app_speed",
        "samples": arguments.samples, "rounds": ROUNDS, **found,
    }  # fmt: skip
    arguments.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: told[key] for key in ("tabs", "slowest", "clicks_over")}, indent=1))


def large_case(server: Server, samples: int) -> str:
    """Make a case with scans, opinions, a map, decisions and a repair; return its id."""
    case = synthetic.make_case(server.cases / "large", samples, distinct_pictures=400, base=True)
    scan = synthetic.scan(case)
    for method in ("attention-allocation", "evidence-fusion"):
        full_cases.run_on_arrays(case, method)
    write_map(case)
    write_language_repair(case, by=scan.id)
    return Workspace(server.cases).enter(case.folder)


def measure(browser: Any, address: str) -> dict[str, Any]:
    """Open every tab several times, then click through it."""
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("#tabs [role=tab]")
    ids = page.eval_on_selector_all("#tabs [role=tab]", "tabs => tabs.map(tab => tab.id)")
    page.close()
    tabs = [identifier.removeprefix("tab-").removesuffix("-button") for identifier in ids]
    opened = {tab: opening(browser, f"{address}&tab={tab}") for tab in tabs}
    clicks = {tab: clicking(browser, f"{address}&tab={tab}") for tab in tabs}
    every = [(seconds, tab, name) for tab, own in clicks.items() for name, seconds in own.items()]
    every.sort(reverse=True)
    return {
        "tabs": opened, "tabs_over": [tab for tab, s in opened.items() if s > OPEN_MOST],
        "clicks": len(every), "clicks_over": sum(line[0] > CLICK_MOST for line in every),
        "median_click": round(statistics.median(line[0] for line in every), 3),
        "slowest": [[tab, name, seconds] for seconds, tab, name in every[:12]],
    }  # fmt: skip


def opening(browser: Any, address: str) -> float:
    """Return the median seconds until a fresh page shows a tab."""
    found = []
    for _ in range(ROUNDS):
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(address, wait_until="commit")
        page.wait_for_selector("#tabs [role=tab]")
        page.evaluate(WATCH, QUIET)
        found.append(page.evaluate("() => performance.now()") - QUIET)
        page.close()
    return round(statistics.median(found) / 1000, 2)


def clicking(browser: Any, address: str) -> dict[str, float]:
    """Click every button of a tab; return the median seconds of each by name."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        page.goto(address)
        page.wait_for_selector("#tabs [role=tab]")
        page.wait_for_timeout(SETTLED)
        page.evaluate(WATCH, QUIET)
        names = page.evaluate(BUTTONS)
        for number, name in enumerate(names):
            # Of a long list of the same kind, its first ones stand for all.
            if NO_CLICK.search(name) or number > 60:
                continue
            if not page.evaluate("n => window.buttons[n]?.isConnected ?? false", number):
                continue
            page.evaluate(PRESS, number)
            found.setdefault(name, []).append(page.evaluate(WATCH, QUIET))
            page.evaluate("() => { window.clicked = null; }")
    page.close()
    return {name: round(statistics.median(own) / 1000, 3) for name, own in found.items()}


if __name__ == "__main__":
    main()

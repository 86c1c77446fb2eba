"""From an unknown LLaVA JSON to a signed-off report, screen by screen, in a real browser.

python -m tests.ui.whole_walk --work DIR [--rows 400] [--pictures DIR] [--out FILE]

The set is drawn and poisoned here, and the model is the one of the demo `vlm-patch`; the walk is
given their folders, as an analyst would be, and nothing else: no demo's hints, no known trigger.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.lab.demos import assets_folder, find_demo
from forensics.lab.drawing import draw_scenes
from forensics.lab.planting import PlantOptions, plant
from forensics.lab.tasks import parse_mix
from forensics.runs import State
from forensics.ui.workspace import Workspace
from tests.ui.full_cases import PAYLOADS
from tests.ui.serving import Server, Watched, chromium, leave
from tests.ui.test_browser_trigger_walk import fill

SEED, TEST_SEED = 7301, 7302
ROWS, TESTS = 400, 24
TRIGGER = "patch:side=1/9,place=center,texture=frame,color=black,second=white"
FINISHED = "#tl-jobbar[data-state=finished]"


def unknown_set(folder: Path, rows: int = ROWS) -> Path:
    """Draw a poisoned set with hostile texts in some of its clean rows; return its JSON file."""
    clean = draw_scenes(folder / "clean", rows, SEED, mix=parse_mix("caption"))
    poisoned = plant(clean, folder / "set", PlantOptions(trigger=TRIGGER, seed=SEED)).data
    told = json.loads(poisoned.read_text(encoding="utf-8"))
    honest = [row for row in told if not row.get("poisoned")]
    for row, payload in zip(honest, PAYLOADS, strict=False):
        row["id"] += f" {payload}"
        row["conversations"][1]["value"] += f" {payload}"
    for row in told:
        row.pop("poisoned", None)  # nobody told the analyst
    poisoned.write_text(json.dumps(told), encoding="utf-8")
    return poisoned


class Walk:
    """One analyst, one page; every screen is timed and, on request, photographed.

    Args:
        page: A fresh page.
        server: The app.
        work: Folder for the set.
        rows: Samples of it.
        pictures: Where photographs go; none without.
    """

    def __init__(
        self, page: Any, server: Server, work: Path, rows: int = ROWS, pictures: Path | None = None
    ) -> None:
        self.page, self._server, self._work, self._rows = page, server, work, rows
        self._pictures = pictures
        self.screens: list[dict[str, Any]] = []
        self.case: Case | None = None

    def go(self) -> Path:
        """Walk from the start page to a saved report; return where that lies."""
        data = unknown_set(self._work, self._rows)
        test = draw_scenes(self._work / "test", TESTS, TEST_SEED, mix=parse_mix("caption"))
        self.make_case(data)
        self.scan()
        self.look()
        self.prove()
        self.review()
        self.repair(test)
        return self.sign()

    def make_case(self, data: Path) -> None:
        """Name model, base and data in the form."""
        page, demo, folder = self.page, find_demo("vlm-patch"), assets_folder() / "demos"
        with self.screen("home", "a case of model, base and data"):
            page.goto(self._server.url)
            page.get_by_text("Your own model and data").click()
            for name, text in (
                ("model", f"hf:{folder / 'base'}+adapter:{folder / demo.name}"),
                ("data", f"llava:{data}"), ("base", str(folder / "base")),
                ("title", "Upload of a customer"),
            ):  # fmt: skip
                page.fill(f"#own-{name} input, #own-{name} textarea", text)
            page.click("#own-make")
            page.wait_for_selector("#case-summary .tl-preview img")
        name = page.evaluate("window.triggerlens.state.case")
        self.case = Workspace(self._server.cases).case(name)

    def scan(self) -> None:
        """Scan attention, and decide by fusion from the same measurement."""
        with self.screen("case", "attention scan of all rows"):
            self.page.click("#start-scan")
            self.page.wait_for_selector(FINISHED)

    def look(self) -> None:
        """See the verdict, the histogram and a flagged sample."""
        page = self.page
        with self.screen("attention", "verdict, histogram, one flagged sample with its maps"):
            page.click("#tab-attention-button")
            page.wait_for_selector("#attention .tl-root[data-ready]")
            page.click("#tl-gallery .tl-tile")
            page.wait_for_selector(".tl-inspector .tl-stage[data-ready]")
        assert "Backdoor Attack!" in page.inner_text("#tl-sentence")
        page.keyboard.press("Escape")

    def prove(self) -> None:
        """Paste the suspected patch on other pictures."""
        page = self.page
        with self.screen("transplant", "the suspected patch on other pictures, with controls"):
            page.click("#tab-report-button")
            page.wait_for_selector("#report .tl-root[data-ready]")
            page.click("#tl-steps button:has-text('Test it')")
            page.wait_for_selector("#start-transplant", state="visible")
            fill(page, "transplant", donors=4, hosts=24)
            page.click("#start-transplant")
            self.wait_for_run("transplant")

    def review(self) -> None:
        """Look at two samples by hand, then decide about all that are suspected."""
        page = self.page
        with self.screen("review", "two samples by key, the rest in one batch"):
            page.click("#tab-review-button")
            page.wait_for_selector("#tl-rv-card[data-drawn]")
            page.fill("#tl-rv-name", "ada")
            page.keyboard.press("Tab")
            for _ in range(2):
                drawn = page.get_attribute("#tl-rv-card", "data-drawn")
                page.keyboard.press("f")
                page.wait_for_function(
                    "was => document.querySelector('#tl-rv-card').dataset.drawn !== was", arg=drawn
                )
            page.click("#tl-rv-all-flag")
            page.click("#tl-rv-yes")
            page.wait_for_function(
                "document.querySelector('#tl-rv-progress').textContent.includes('100 %')"
            )

    def repair(self, test: Path) -> None:
        """Tune the base again without what was flagged by hand."""
        page = self.page
        with self.screen("repair", "the base tuned again without the flagged rows, measured"):
            page.click("#tab-repair-button")
            page.wait_for_selector("#repair .tl-root[data-ready]")
            page.click("#tl-rp-method-filter-retune")
            page.click("#tl-rp-options")
            page.wait_for_selector("#start-filter-retune", state="visible")
            fill(page, "filter-retune", epochs=0.2, test=f"llava:{test}", max_test=TESTS,
                 looked_at=8)  # fmt: skip
            page.click("#start-filter-retune")
            page.wait_for_selector("#tl-rp-said[data-run]")
            page.wait_for_selector("#tl-rp-running", state="hidden")

    def sign(self) -> Path:
        """Sign the findings and save the report."""
        page = self.page
        with self.screen("report", "signed and saved"):
            page.click("#tab-report-button")
            page.wait_for_selector("#report .tl-root[data-ready]")
            page.fill("#tl-sign-name", "Ada L.")
            page.fill("#tl-sign-statement", f"Poisoned; do not deploy. {PAYLOADS[0]}")
            page.click("#tab-case-button")  # one more look; what was typed is there afterwards
            page.click("#tab-report-button")
            page.wait_for_selector("#report .tl-root[data-ready]")
            assert page.input_value("#tl-sign-name") == "Ada L."
            page.click("#tl-sign")
            page.wait_for_selector("#tl-signatures")
            with page.expect_download() as waited:
                page.click("#tl-report-html")
            saved = self._work / "report.html"
            waited.value.save_as(saved)
        return saved

    def wait_for_run(self, method: str) -> None:
        """Wait until the job bar shows that the only run of a method is over."""
        assert self.case is not None
        page = self.page
        page.wait_for_function("window.triggerlens.state.job !== null")
        while not (runs := self.case.runs(method)) or runs[0].status().state.active:
            page.wait_for_timeout(200)
        assert runs[0].status().state is State.FINISHED, runs[0].status()
        page.wait_for_selector(FINISHED)

    @contextmanager
    def screen(self, name: str, what: str) -> Iterator[None]:
        """Time what is done on a screen, and photograph how it ends."""
        begun = time.monotonic()
        yield
        seconds = round(time.monotonic() - begun, 1)
        self.screens.append({"screen": name, "what": what, "seconds": seconds})
        if self._pictures is not None:
            number = len(self.screens)
            self.page.screenshot(path=str(self._pictures / f"walk-{number}-{name}.png"))


def main() -> None:
    """Walk once and write the times."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    for folder in (arguments.work, arguments.pictures):
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
    server = Server(arguments.work / "cases", arguments.work / "server.log")
    server.start()
    try:
        with chromium() as browser:
            watched = Watched(browser.new_page(viewport={"width": 1440, "height": 1000}))
            watched.page.set_default_timeout(240_000)
            walk = Walk(
                watched.page, server, arguments.work / "set", arguments.rows, arguments.pictures
            )
            walk.go()
            assert walk.case is not None
            leave(watched.page, walk.case)
            assert watched.problems == [] and watched.foreign() == []
    finally:
        server.stop()
    told = {
        "what": "seconds of each screen of the walk from an unknown LLaVA JSON to a signed report",
        "command": "python -m tests.ui.whole_walk --work DIR", "rows": arguments.rows,
        "screens": walk.screens, "seconds": round(sum(s["seconds"] for s in walk.screens), 1),
    }  # fmt: skip
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()

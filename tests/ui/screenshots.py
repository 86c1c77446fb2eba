"""Take the pictures of the README: ``python -m tests.ui.screenshots [part ...]``.

Opens the demos in a server of its own, runs every method through the page, and photographs both
tabs at two widths in light and dark (part ``tabs``) and the panels of the methods (``guarded``,
``allocation``, ``masked-views``, ``transplant``, ``report``) into docs/pictures.
``PICTURES_CASES`` names a folder that keeps the cases: what ran there is not run again. The part
``drawn`` takes the tabs from drawn arrays, where no demo is installed; ``home`` takes Home, with
drawn cases too.
"""

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from forensics.case import Case
from forensics.ui.workspace import Workspace
from forensics.worker import client
from tests.ui import home_cases, synthetic
from tests.ui.serving import REPOSITORY, Server, chromium

OUT = Path(os.environ.get("PICTURES", REPOSITORY / "docs" / "pictures"))
SIZES = {1440: 1180, 1024: 1400}
NAMES = {1440: "", 1024: "-1024"}
LARGEST = 400_000
PATIENCE = 1_800_000  # milliseconds: a transplant test on a busy machine

# Part -> demo, methods that have to have run, what the address adds, what shows that it is drawn.
ENTROPY = "attention-entropy"
PANEL = "#tl-method-panel[data-ready]"
PANELS = {
    "guarded": ("vlm-mixed", (ENTROPY,), "&rule=guarded", "#tl-scores .tl-cut"),
    "allocation": ("vlm-patch", (ENTROPY, "attention-allocation"), "&view=attention-allocation",
                   PANEL),
    "masked-views": ("vlm-patch", (ENTROPY, "masked-views"), "&view=masked-views", PANEL),
    "transplant": ("vlm-patch", (ENTROPY, "transplant"), "&view=transplant", PANEL),
    "report": ("vlm-patch", (ENTROPY, "self-test"), "", "#tl-report-frame"),
}  # fmt: skip
TABS = {"report": "report"}  # the others are panels of the Attention tab
SAID = """method => window.triggerlens.state.methods?.find(
    (line) => line.name === method)?.said?.run ?? null"""


def main(parts: list[str]) -> None:
    """Take the pictures of some parts."""
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        cases = Path(os.environ.get("PICTURES_CASES", Path(scratch) / "cases"))
        server = Server(cases.resolve(), Path(scratch) / "server.log")
        server.start()
        names: set[str] = set()
        try:
            for part in parts:
                names.add(take(browser, server, part))
        finally:
            for name in names:
                client.stop_worker(Workspace(server.cases).case(name))
            server.stop()


def take(browser: Any, server: Server, part: str) -> str:
    """Take the pictures of one part; return the case that they show."""
    if part in PANELS:
        demo, methods, address, drawn_sign = PANELS[part]
        name = prepare(browser, server, demo, methods)
        shown = f"case={name}&tab={TABS.get(part, 'attention')}{address}"
        photograph_panel(browser, server, part, shown, drawn_sign)
        return name
    if part == "home":
        name = drawn_home(server)
        for scheme in ("light", "dark"):
            photograph_home(browser, server, scheme)
        return name
    name = drawn(server) if part == "drawn" else prepare(browser, server, "vlm-patch", (ENTROPY,))
    for width, height in SIZES.items():
        for scheme in ("light", "dark"):
            photograph(browser, server, name, width, height, scheme)
    return name


def prepare(browser: Any, server: Server, demo: str, methods: tuple[str, ...]) -> str:
    """Open a demo and run what did not run on it yet, as a user would; return the case's id."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(server.url)
    page.click(f"#tl-demo-{demo}")
    page.wait_for_selector("#start-scan", state="visible")
    for method in methods:
        if page.evaluate(SAID, method) is None:
            page.click("#start-scan" if method == ENTROPY else f"#start-offer-{method}")
            if method != ENTROPY:
                page.click(f"#start-{method}")
            page.wait_for_function(SAID, arg=method)
            page.click("#tab-case-button")
    name = page.evaluate("window.triggerlens.state.case")
    page.close()
    return str(name)


def drawn(server: Server) -> str:
    """Scan nothing: use drawn arrays, where no demo is installed."""
    case: Case = synthetic.make_case(server.cases / "drawn", 2000)
    synthetic.scan(case)
    return Workspace(server.cases).enter(case.folder)


def drawn_home(server: Server) -> str:
    """Draw three cases: one with several runs, one that is new, and one that lost a file."""
    workspace = Workspace(server.cases)
    fresh = synthetic.make_case(server.cases / "fresh", 48, title="Uploads of a new customer")
    workspace.enter(fresh.folder)
    hurt = synthetic.make_case(server.cases / "hurt", 400, title="Captions, March")
    synthetic.scan(hurt)
    home_cases.damage_arrays(synthetic.scan(hurt))
    workspace.enter(hurt.folder)
    case = synthetic.make_case(server.cases / "main", 600, title="Captioning model, second audit")
    first = synthetic.scan(case)
    home_cases.second_scan(case, first)
    home_cases.allocation_on(case, first)
    for sample in case.catalog.ids[:7]:
        case.journal.decide(sample, "flag", by="ana")
    return workspace.enter(case.folder)


def photograph_home(browser: Any, server: Server, scheme: str) -> None:
    """Save Home with a history."""
    page = browser.new_page(viewport={"width": 1440, "height": SIZES[1440]}, color_scheme=scheme)
    page.goto(server.url)
    page.wait_for_selector("#home-history tbody tr")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    save(page.screenshot(), OUT / f"home-{scheme}.png")
    page.close()


def photograph(
    browser: Any, server: Server, name: str, width: int, height: int, scheme: str
) -> None:
    """Save both tabs at one width in one theme."""
    viewport = {"width": width, "height": height}
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{server.url}/?case={name}&tab=attention")
    page.wait_for_selector("#tl-gallery .tl-tile")
    page.wait_for_selector(".tl-stage[data-ready]")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    save(page.screenshot(), OUT / f"attention-{scheme}{NAMES[width]}.png")
    page.goto(f"{server.url}/?case={name}&tab=case")
    page.wait_for_selector("#case-summary .tl-preview img")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(700)
    save(page.screenshot(), OUT / f"case-{scheme}{NAMES[width]}.png")
    context.close()


def photograph_panel(
    browser: Any, server: Server, part: str, address: str, drawn_sign: str
) -> None:
    """Save one panel of the Attention tab, or the Report tab."""
    page = browser.new_page(viewport={"width": 1440, "height": SIZES[1440]}, color_scheme="light")
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}/?{address}")
    if part not in TABS:
        page.wait_for_selector("#tl-gallery .tl-tile")
        page.wait_for_selector(".tl-stage[data-ready]")
    page.wait_for_selector(drawn_sign)
    if part == "masked-views":  # and the map of one sample, beside its attention
        page.click("#tl-depends")
        page.wait_for_selector(".tl-depends[data-ready]")
        page.mouse.move(5, 5)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    save(page.screenshot(), OUT / f"{part}-light.png")
    page.close()


def save(data: bytes, path: Path) -> None:
    """Write a picture; with fewer colours where all of them would make it too large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        tones = picture.quantize(256)  # without a palette given, Pillow does not dither
        dithered = picture.quantize(palette=tones, dither=Image.Dither.FLOYDSTEINBERG)
        dithered.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        picture.quantize(256).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.name} is larger than {LARGEST:,} bytes.")


if __name__ == "__main__":
    main(sys.argv[1:] or ["tabs", *PANELS])

"""Take the pictures of the README: ``python -m tests.ui.screenshots [demo]``.

Opens a demo in a server of its own, scans it through the page, and photographs both tabs at two
widths in light and dark, into docs/pictures.
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
from tests.ui import synthetic
from tests.ui.serving import REPOSITORY, Server, chromium

OUT = Path(os.environ.get("PICTURES", REPOSITORY / "docs" / "pictures"))
SIZES = {1440: 1180, 1024: 1400}
NAMES = {1440: "", 1024: "-1024"}
LARGEST = 300_000


def main(demo: str) -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as scratch, chromium() as browser:
        server = Server(Path(scratch) / "cases", Path(scratch) / "server.log")
        server.start()
        name = ""
        try:
            name = scan_demo(browser, server, demo) if demo != "drawn" else drawn(server)
            for width, height in SIZES.items():
                for scheme in ("light", "dark"):
                    photograph(browser, server, name, width, height, scheme)
        finally:
            if name:
                client.stop_worker(Workspace(server.cases).case(name))
            server.stop()


def scan_demo(browser: Any, server: Server, demo: str) -> str:
    """Open and scan a demo as a user would; return the case's id."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(300_000)
    page.goto(server.url)
    page.click(f"#tl-demo-{demo}")
    page.wait_for_selector("#start-scan", state="visible")
    page.click("#start-scan")
    page.wait_for_selector("#tl-jobbar[data-state=finished]")
    page.wait_for_selector("#tl-gallery .tl-tile")
    name = page.evaluate("window.triggerlens.state.case")
    page.close()
    return str(name)


def drawn(server: Server) -> str:
    """Scan nothing: use drawn arrays, where no demo is installed."""
    case: Case = synthetic.make_case(server.cases / "drawn", 2000)
    synthetic.scan(case)
    return Workspace(server.cases).enter(case.folder)


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


def save(data: bytes, path: Path) -> None:
    """Write a picture; with fewer colours where all of them would make it too large."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path.name} is larger than {LARGEST:,} bytes.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "vlm-patch")

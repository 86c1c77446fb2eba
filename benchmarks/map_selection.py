"""How long a map of 50,000 points takes to draw, hover and lasso, beside a Plotly scattergl.

    python -m benchmarks.map_selection [--points 50000] [--rounds 5]

Our map is the Clusters tab of the real app on a case with drawn points (``tests.drawn_map``); the
other is a bare page with one scattergl trace of the same points, from the same binary file. Both
run in the same headless Chromium, one after the other, and both lassos end in Python: ours when
the selection card and the gallery of the selected samples are shown, Plotly's when the server has
answered the list of ids. So ours does more work in its time.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.runs import Run
from forensics.ui.sample_map import SampleMap
from forensics.ui.views.clusters import point_bytes
from forensics.ui.workspace import Workspace
from tests.drawn_map import PLANTED, write_map
from tests.ui import synthetic
from tests.ui.serving import Server, chromium

RESULT = Path(__file__).parent / "results" / "map_selection.json"
STEPS = 12  # mouse moves of a lasso
SIZE = {"width": 1440, "height": 1000}
Place = tuple[float, float]
PLOTLY_PAGE = """<!doctype html><meta charset="utf-8"><script src="/plotly.js"></script>
<div id="map" style="width:1000px;height:600px"></div><script>
(async () => {
  const began = performance.now();
  const buffer = await (await fetch("/points")).arrayBuffer();
  const [n] = new Uint32Array(buffer, 0, 1);
  const [x, y] = [new Float32Array(buffer, 8 + 4 * n, n), new Float32Array(buffer, 8 + 8 * n, n)];
  const div = document.getElementById("map");
  await Plotly.newPlot(div, [{ type: "scattergl", mode: "markers", x, y, marker: { size: 4 } }],
    { dragmode: "lasso", hovermode: "closest", showlegend: false });
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  window.drawn = performance.now() - began;
  div.on("plotly_hover", (event) => { window.hovered = event.points[0].pointNumber; });
  div.on("plotly_selected", async (event) => {
    if (!event || !event.points.length) return;
    const ids = event.points.map((point) => point.pointNumber);
    const reply = await fetch("/select", { method: "POST", body: JSON.stringify(ids) });
    window.answer = await reply.json();
  });
  window.where = (px, py) => {
    const { xaxis, yaxis } = div._fullLayout;
    return [xaxis._offset + xaxis.d2p(px), yaxis._offset + yaxis.d2p(py)];
  };
})();
</script>"""


def main() -> None:
    """Measure both maps and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, help="Keep the case here, and use it again.")
    parser.add_argument("--to", type=Path, default=RESULT)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = given.work or Path(scratch)
        case, run = prepare(root, given.points)
        with chromium() as browser:
            ours = measure_ours(browser, root, case, run, given.rounds)
            plotly = measure_plotly(browser, SampleMap(case, run), given.rounds)
    result = {
        "points": given.points, "rounds": given.rounds, "lasso_moves": STEPS,
        "unit": "ms, median over rounds", "ours": ours, "plotly_scattergl": plotly,
        "machine": {"cores": os.cpu_count(), "system": platform.system(),
                    "load_1_min": round(os.getloadavg()[0], 1), "gl": "SwiftShader (software)"},
    }  # fmt: skip
    given.to.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def prepare(root: Path, points: int) -> tuple[Case, Run]:
    """Make a case with a drawn scan and a drawn map, or open the one that is there."""
    folder = root / "cases" / f"points-{points}"
    if not (folder / "case.json").exists():
        case = synthetic.make_case(folder, points, poisoned=0.02)
        write_map(case)
    case = Case.open(folder)
    return case, case.run(method="clusters")


def measure_ours(browser: Any, root: Path, case: Case, run: Run, rounds: int) -> dict[str, Any]:
    """Time the Clusters tab."""
    server = Server(root / "cases", root / "server.log")
    server.start()
    try:
        name = Workspace(root / "cases").enter(case.folder)
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(120_000)
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            began = time.perf_counter()
            page.goto(f"{server.url}/?case={name}&tab=clusters&map={run.id}")
            page.wait_for_selector("#tl-umap[data-ready]")
            _add(found, "page_to_map", _since(began))
            _add(
                found,
                "fetch_to_first_draw",
                page.evaluate(
                    "() => Number(document.querySelector('#tl-umap').dataset.at) - performance"
                    ".getEntriesByType('resource').find((e) => /points$/.test(e.name)).startTime"
                ),
            )
            page.wait_for_selector("#tl-umap-gallery[data-ready]")
            page.wait_for_timeout(1000)
            _add(found, "paint", float(page.get_attribute("#tl-umap", "data-paint")))
            _hover_ours(page, found)
            _lasso_ours(page, found)
        return {key: round(statistics.median(values), 1) for key, values in found.items()} | {
            "selected": int(page.inner_text("#tl-umap-chosen").replace(",", ""))
        }
    finally:
        server.stop()


def _hover_ours(page: Any, found: dict[str, list[float]]) -> None:
    x, y = page.evaluate(
        "() => { const m = window.triggerlens.map; const b = m.stage.getBoundingClientRect();"
        " return [b.left + m.at.sx[1], b.top + m.at.sy[1]]; }"
    )
    page.mouse.move(x - 200, y)
    page.wait_for_timeout(300)
    began = time.perf_counter()
    page.mouse.move(x, y)
    page.wait_for_function("() => window.triggerlens.map.hover >= 0", polling=5)
    _add(found, "hover_point", _since(began))
    page.wait_for_selector("#tl-umap-hover:not([hidden])")
    _add(found, "hover_texts", _since(began))


def _lasso_ours(page: Any, found: dict[str, list[float]]) -> None:
    at = page.evaluate(
        "([x, y]) => { const m = window.triggerlens.map; const b = m.stage.getBoundingClientRect();"
        " return [b.left + (x - m.view.cx) * m.view.scale + b.width / 2,"
        " b.top + b.height / 2 - (y - m.view.cy) * m.view.scale]; }",
        PLANTED.tolist(),
    )

    def shown() -> None:
        page.wait_for_selector("#tl-umap-export-csv")
        page.wait_for_function("() => document.querySelector('#tl-umap-gallery').dataset.ready"
                               " !== 'all'")  # fmt: skip

    _lasso(page, (at[0], at[1]), shown, found)


def measure_plotly(browser: Any, drawn: SampleMap, rounds: int) -> dict[str, Any]:
    """Time a bare page with one scattergl trace."""
    with _plotly_server(drawn) as (url, received):
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(240_000)
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            began = time.perf_counter()
            page.goto(url)
            page.wait_for_function("() => window.drawn !== undefined")
            _add(found, "page_to_map", _since(began))
            _add(found, "fetch_to_first_draw", page.evaluate("window.drawn"))
            x, y = page.evaluate("([x, y]) => window.where(x, y)", drawn.xy[1].tolist())
            page.mouse.move(x - 200, y)
            page.wait_for_timeout(300)
            began = time.perf_counter()
            page.mouse.move(x, y)
            page.wait_for_function("() => window.hovered !== undefined", polling=5)
            _add(found, "hover_point", _since(began))
            at = page.evaluate("([x, y]) => window.where(x, y)", PLANTED.tolist())
            _lasso(
                page,
                (at[0], at[1]),
                lambda: page.wait_for_function("() => window.answer !== undefined"),
                found,
            )
        return {key: round(statistics.median(values), 1) for key, values in found.items()} | {
            "selected": received[-1]
        }


@contextmanager
def _plotly_server(drawn: SampleMap) -> Iterator[tuple[str, list[int]]]:
    import plotly

    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    files = {"/": ("text/html", PLOTLY_PAGE.encode()),
             "/plotly.js": ("text/javascript", script.read_bytes()),
             "/points": ("application/octet-stream", point_bytes(drawn, []))}  # fmt: skip
    received: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files.get(self.path, ("text/plain", b""))
            self._answer(kind, content)

        def do_POST(self) -> None:
            ids = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append(len(drawn.ids[ids]))
            self._answer("application/json", json.dumps({"n": len(ids)}).encode())

        def _answer(self, kind: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", received
    finally:
        server.shutdown()


def _lasso(
    page: Any, at: Place, shown: Callable[[], Any], found: dict[str, list[float]], side: float = 60
) -> None:
    """Drag around a place in ``STEPS`` moves; note the time from first press and from release."""
    left, right, top, bottom = at[0] - side, at[0] + side, at[1] - side, at[1] + side
    # From below: the group lies at the edge, and a lasso has to begin on the map.
    corners = [(left, bottom), (left, top), (right, top), (right, bottom)]
    began = time.perf_counter()
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=STEPS // 3)
    page.mouse.up()
    released = time.perf_counter()
    shown()
    _add(found, "lasso_press_to_python", _since(began))
    _add(found, "lasso_release_to_python", _since(released))


def _add(found: dict[str, list[float]], name: str, value: float) -> None:
    found.setdefault(name, []).append(value)


def _since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()

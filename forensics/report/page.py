"""The report as one HTML file: nothing is fetched, and text of the data stays text.

Every expression of the templates is escaped by Jinja; attributes that act (``href``, ``style``,
``on…``) never hold data. The page's own policy allows the one style sheet and the one script whose
hashes it names, so markup that slipped through could not act either.
"""

import base64
import hashlib
import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forensics.report import words
from forensics.report.blocks import Block, Picture
from forensics.report.facts import Report
from forensics.report.figures.bars import draw_bars
from forensics.report.figures.curves import draw_curves
from forensics.report.figures.drawn import Drawn
from forensics.report.figures.frontier import draw_frontier
from forensics.report.figures.histogram import draw_histogram
from forensics.report.figures.layers import draw_layers
from forensics.report.figures.sample_map import draw_map
from forensics.runs.plain import plain

_HERE = files("forensics.report") / "templates"
_DRAWERS: dict[str, Any] = {
    "histogram": draw_histogram,
    "layers": draw_layers,
    "bars": draw_bars,
    "frontier": draw_frontier,
    "curves": draw_curves,
    "map": draw_map,
}
# What ends a script element, or begins a comment in one, must not stand in its text.
_IN_SCRIPT = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def page(report: Report, *, comforts: bool = True) -> str:
    """Write the report as HTML.

    Args:
        report: The facts.
        comforts: Whether the script is in it that sorts tables and tells values under the pointer,
            and the links to its sections. A preview in a frame is better off without: nothing runs
            there, and a link would lead to the address of the page around it.

    Returns:
        A whole document, UTF-8 when encoded.
    """
    style, script = _part("report.css"), _part("report.js") if comforts else Markup("")
    return (
        _environment()
        .get_template("report.html")
        .render(report=report, style=style, script=script, policy=policy(style, script))
    )


def policy(style: str, script: str) -> str:
    """Return the content security policy: no address at all, and only our own style and script."""
    return "; ".join((
        "default-src 'none'",
        "img-src data:",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'" if script else "script-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    ))  # fmt: skip


def script_json(value: Any) -> Markup:
    r"""Write a value as JSON that no text in it can end; for ``<script type="application/json">``.

    >>> str(script_json({"a": "</script><!--"}))
    '{"a":"\\u003c/script\\u003e\\u003c!--"}'
    """
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_IN_SCRIPT))


def data_uri(picture: Picture) -> str:
    """Return the picture as an address that holds it."""
    return f"data:{picture.media};base64,{base64.b64encode(picture.data).decode('ascii')}"


class Numbering:
    """Gives figures names that are unique in a page."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self, block: Block) -> tuple[str, Drawn]:
        """Draw a figure; return its name and the drawing."""
        self._count += 1
        name = f"figure-{self._count}"
        return name, _DRAWERS[block.kind](block, name)


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("forensics.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    found.filters |= {"data_uri": data_uri, "script_json": script_json}
    found.globals |= {"words": words, "draw": Numbering().draw}
    return found


def _finalize(value: Any) -> Any:
    """Clean whatever text goes into the page; markup of our own is left alone."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return words.held(words.shown(value))


def _part(name: str) -> Markup:
    return Markup((_HERE / name).read_text(encoding="utf-8"))


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"

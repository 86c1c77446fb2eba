"""Text of the data stays text in a report: parsed, and opened in a real browser without a net."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.export.report import export_report
from forensics.report.gather import gather
from forensics.report.page import page, script_json
from forensics.report.words import shown
from tests.report.cases import HOSTILE, MARK, PLAIN, WHEN, make_case
from tests.ui.serving import CHROMIUM, Watched, chromium

ACTS = ("href", "src", "action", "formaction", "srcset", "data", "xlink:href", "content")
HARMLESS = ("#", "data:image/png;base64,", "data:image/jpeg;base64,")


class Elements(HTMLParser):
    """Every element with its attributes, and the texts between."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data[:80]}")

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(name for name, _ in attrs)) for tag, attrs in self.found]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("hostile") / "case", HOSTILE)


def test_no_element_and_no_attribute_comes_from_data(hostile: Case, tmp_path: Path) -> None:
    plain = make_case(tmp_path / "case", PLAIN)
    bad, good = (Elements(page(gather(case, generated=WHEN, reveal=True)))
                 for case in (hostile, plain))  # fmt: skip
    assert bad.shape == good.shape, "the same elements with the same attributes, whatever the texts"
    for tag, attributes in bad.found:
        for name, value in attributes:
            assert MARK not in (value or ""), (tag, name)
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ACTS and tag != "meta":
                assert (value or "").startswith(HARMLESS), (tag, name)
    text = "".join(bad.texts)
    for payload in (HOSTILE.id, HOSTILE.answer[:40], HOSTILE.title, HOSTILE.name):
        assert payload in text, "shown as what it is"
    assert "{{ 7*7 }}" in text and "\u202e" not in text and "\x07" not in text


def test_json_blocks_cannot_be_ended_by_their_texts() -> None:
    block = script_json({"a": "</script><!--<script>\u2028&amp;"})
    assert not set("<>&\u2028") & set(block)


@pytest.mark.parametrize("steering", ["\u202e", "\u2066", "\u200b", "\x00", "\x1b", "\ud800"])
def test_nothing_in_a_text_steers_the_display(steering: str) -> None:
    assert shown(f"a{steering}b\n") == "a\ufffdb\n"


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_page_opens_from_disk_and_asks_for_nothing(hostile: Case, tmp_path: Path) -> None:
    to = tmp_path / "report.html"
    export_report(hostile, to, generated=WHEN)
    with chromium() as browser:
        for script in (True, False):
            context = browser.new_context(offline=True, java_script_enabled=script)
            watched = Watched(context.new_page())
            watched.page.goto(to.as_uri())
            assert watched.page.locator("h1").inner_text().startswith("</title>")
            drawings = watched.page.locator("svg.drawing")
            assert drawings.count() >= 4 and drawings.first.is_visible()
            if script:
                look(watched.page)
            asked = [url for url in watched.requests if not url.startswith("data:")]
            assert asked == [to.as_uri()] and watched.problems == []
            context.close()


def look(page: Any) -> None:
    """Use what the script adds, and check that nothing of the data ran."""
    assert page.evaluate(f"window.{MARK} === undefined")
    assert (
        page.evaluate("document.querySelectorAll('iframe,object,embed,form,base,link').length") == 0
    )
    assert page.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
    chart = page.locator("figure.histogram").first
    before = chart.locator(".readout").inner_text()
    chart.locator("svg").hover()
    assert chart.locator(".readout").inner_text() != before
    chart.locator("svg").focus()
    page.keyboard.press("ArrowRight")
    assert "flagged" in chart.locator(".readout").inner_text()
    table = page.locator("table.sortable", has_text="Anomaly index").first
    head = table.get_by_role("button", name="Anomaly index")
    head.click()
    up = table.locator("tbody td:nth-child(2)").all_inner_texts()
    head.click()
    assert table.locator("tbody td:nth-child(2)").all_inner_texts() == up[::-1]
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

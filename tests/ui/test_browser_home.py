"""Home, the top bar, deep links, settings and the login in a real Chromium."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forensics.ui.workspace import Workspace
from tests.ui import home_cases, synthetic
from tests.ui.serving import CHROMIUM, Held, Server, Watched, chromium

pytest.importorskip("playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    # Gradio and Playwright leave event loops to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TABS = ["Home", "Case", "Attention", "Clusters", "Triggers", "Review", "Repair", "Report", "Lab"]
PAYLOAD = "<img src=x onerror=\"document.body.setAttribute('pwned','1')\">"
PASSWORD = "four plain words here"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def watched(browser: Any) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    seen = Watched(context.new_page())
    yield seen
    context.close()
    assert seen.foreign() == []
    assert seen.problems == []


@pytest.fixture(scope="module")
def cases(server: Server) -> dict[str, Any]:
    """A case with two scans and a damaged one, a small one, and one that cannot be opened."""
    workspace = Workspace(server.cases)
    big = synthetic.make_case(server.cases / "big", 240, title=f"Big {PAYLOAD}")
    first = synthetic.scan(big)
    second = home_cases.second_scan(big, first)
    home_cases.allocation_on(big, first)
    lost_run = synthetic.scan(big)
    home_cases.damage_arrays(lost_run)
    small = synthetic.make_case(server.cases / "small", 12, title="Small")
    lost = synthetic.make_case(server.cases / "lost", 12)
    names = {key: workspace.enter(case.folder)
             for key, case in (("lost", lost), ("small", small), ("big", big))}  # fmt: skip
    home_cases.damage_case(lost)
    return names | {"first": first, "second": second, "lost_run": lost_run, "folder": big.folder}


def test_nine_tabs_fit_and_are_walked_by_keyboard(watched: Watched, server: Server) -> None:
    page = watched.page
    page.goto(server.url)
    tabs = page.get_by_role("tablist").first.get_by_role("tab")
    page.wait_for_selector("#home-cases .tl-root[data-ready]", state="attached")
    assert tabs.all_inner_texts() == TABS
    for width in (1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        assert tabs.all_inner_texts() == TABS, "none is folded away"
        boxes = [tab.bounding_box() for tab in tabs.all()]
        assert all(a["x"] + a["width"] <= b["x"] + 1 for a, b in itertools.pairwise(boxes))
        assert boxes[-1]["x"] + boxes[-1]["width"] <= width
        others = [page.locator(name).bounding_box() for name in ("#tl-about", ".tl-top-tools")]
        for box in boxes:
            for other in others:
                apart = (other["x"] + other["width"] <= box["x"] + 1
                         or box["x"] + box["width"] <= other["x"] + 1
                         or other["y"] + other["height"] <= box["y"] + 1)  # fmt: skip
                assert apart, (width, box, other)
    tabs.first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.triggerlens.state.tab") == "case"
    assert page.evaluate("document.activeElement.dataset.tabId") == "case"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.tabId") == "lab"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.triggerlens.state.tab") == "home"
    assert tabs.first.get_attribute("aria-selected") == "true"
    assert [tab.get_attribute("tabindex") for tab in tabs.all()].count("0") == 1
    page.goto(f"{server.url}/?tab=nothing")
    page.wait_for_selector("#tab-home-button[aria-selected=true]")


def test_home_shows_cases_history_and_two_runs_beside_each_other(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page = watched.page
    page.goto(f"{server.url}/?case={cases['big']}&tab=home")
    big = page.locator(f".tl-case[data-case={cases['big']}]")
    big.wait_for()
    assert PAYLOAD in big.inner_text()
    assert "suspicious" in big.inner_text()
    assert "1 damaged" in big.inner_text()
    assert "schema 999" in page.locator(f".tl-case[data-case={cases['lost']}]").inner_text()
    history = page.locator("#home-history")
    history.locator("tbody tr").nth(3).wait_for()
    assert history.locator("tbody tr").count() == 4
    page.select_option("#tl-history-verdict", "suspicious")
    assert history.locator("tbody tr").count() == 2
    page.fill("#tl-history-text", "tau 2.5")
    assert history.locator("tbody tr").count() == 1
    assert history.locator("tbody tr").get_attribute("data-run") == cases["second"].id
    page.fill("#tl-history-text", "")
    page.select_option("#tl-history-verdict", "")
    page.click("[data-sort=bytes]")
    assert history.locator("th[aria-sort=ascending]").inner_text().startswith("Disk")
    row = history.locator(f"tr[data-run='{cases['first'].id}']")
    assert row.get_by_role("button", name="In use").is_disabled()
    for run in ("first", "second"):
        history.locator(f"tr[data-run='{cases[run].id}'] input").check()
    page.wait_for_selector("#home-compare[data-ready]")
    words = page.inner_text("#tl-overlap")
    both = 24 - home_cases.FEWER
    assert f"both flag {both}" in words
    assert f"{both / (24 + home_cases.OTHERS):.3f}" in words
    page.locator("#tl-entropy-overlay path").nth(1).wait_for()
    page.locator("details[data-part='only B flags'] summary").click()
    sample = page.locator("details[data-part='only B flags'] a").first
    label = sample.inner_text()
    sample.click()
    page.wait_for_selector("#attention .tl-root[data-ready]")
    page.get_by_role("heading", name=f"Sample {label}").wait_for()
    assert page.evaluate("window.triggerlens.state.run") == cases["second"].id
    assert page.evaluate("document.body.getAttribute('pwned')") is None


def test_a_link_opens_the_same_view_in_a_fresh_browser(
    watched: Watched, browser: Any, server: Server, cases: dict[str, Any]
) -> None:
    page = watched.page
    page.goto(f"{server.url}/?case={cases['big']}&tab=attention&run={cases['first'].id}&rule=code")
    page.wait_for_selector("#attention .tl-root[data-ready]")
    page.locator("#tl-gallery .tl-tile").nth(3).click()
    page.wait_for_selector("#tl-gallery .tl-tile[aria-pressed=true]")
    page.evaluate("document.querySelectorAll('.tl-small')[4].click()")
    page.wait_for_function("window.triggerlens.state.layer === 4")
    page.click("#tl-copy-link")
    page.get_by_text("Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    keys = ("case", "tab", "run", "rule", "layer", "sample")
    shown = {key: page.evaluate(f"window.triggerlens.state.{key}") for key in keys}
    title = page.locator(".tl-inspector-head h3").inner_text()
    fresh = browser.new_context(viewport={"width": 1280, "height": 900})
    other = fresh.new_page()
    other.goto(link)
    other.get_by_role("heading", name=title).wait_for()
    assert {key: other.evaluate(f"window.triggerlens.state.{key}") for key in keys} == shown
    assert other.locator("#tab-attention-button").get_attribute("aria-selected") == "true"
    compared = f"{server.url}/?tab=home&a={cases['big']}&b={cases['small']}"
    other.goto(compared)
    other.wait_for_selector("#home-compare[data-ready]")
    assert "Two cases beside each other" in other.inner_text("#home-compare")
    fresh.close()


def test_a_damaged_run_is_deleted_and_a_case_forgotten(
    watched: Watched, server: Server, cases: dict[str, Any]
) -> None:
    page = watched.page
    before = home_cases.listing(cases["folder"] / "runs" / cases["first"].id)
    page.goto(f"{server.url}/?case={cases['big']}&tab=home")
    row = page.locator(f"tr[data-run='{cases['lost_run'].id}']")
    row.wait_for()
    assert "damaged" in row.inner_text()
    cards = Held(page, "**/api/home/cases")
    row.get_by_role("button").click()
    row.get_by_text("Delete ").click()
    row.wait_for(state="detached")
    assert not cases["lost_run"].folder.exists()
    card = page.locator(f".tl-case[data-case={cases['big']}]")
    old = card.element_handle()
    card.get_by_role("button", name="off this list").click()
    cards.release()  # the cards are drawn anew while the question stands
    page.wait_for_function("card => !card.isConnected", arg=old)
    card.get_by_text("The folder stays").click()
    card.wait_for(state="detached")
    assert home_cases.listing(cases["folder"] / "runs" / cases["first"].id) == before
    Workspace(server.cases).enter(cases["folder"])


@pytest.mark.parametrize("case", ["", "small"])
def test_no_tab_is_a_dead_end(
    watched: Watched, server: Server, cases: dict[str, Any], case: str
) -> None:
    page = watched.page
    page.goto(f"{server.url}/?tab=home" + (f"&case={cases[case]}" if case else ""))
    page.wait_for_selector("#home-cases .tl-root[data-ready]")
    for name in TABS[1:]:
        page.get_by_role("tab", name=name, exact=True).click()
        pane = page.locator(f"#tab-{name.lower()}")
        pane.locator("button:visible, a:visible").first.wait_for()
        if not case and name != "Lab":
            way = pane.get_by_role("button", name="Open a case")
            way.wait_for()
            way.click()
            page.wait_for_selector("#tab-home-button[aria-selected=true]")


def test_settings_are_kept_and_errors_are_told(
    watched: Watched, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    monkeypatch.setenv("TRIGGERLENS_SETTINGS", str(folder / "settings.json"))
    monkeypatch.setenv("TRIGGERLENS_DEVICE", "cpu")
    running = Server(folder / "cases", folder / "server.log")
    running.start()
    try:
        page = watched.page
        page.goto(running.url)
        page.click("#tl-settings-open")
        page.wait_for_selector("#tl-settings-save")
        assert page.locator("#setting-device").is_disabled()
        assert "TRIGGERLENS_DEVICE" in page.inner_text("#setting-device-help")
        page.fill("#setting-megapixels", "0")
        page.click("#tl-settings-save")
        page.get_by_text("whole number from 1 to 1,000").wait_for()
        watched.problems.clear()  # the console notes the refusal itself
        page.fill("#setting-megapixels", "12")
        page.fill("#setting-reviewer", "Ana")
        page.select_option("#setting-theme", "dark")
        page.click("#tl-settings-save")
        page.get_by_text("Saved.").wait_for()
        assert page.evaluate("document.body.classList.contains('dark')")
        page.keyboard.press("Escape")
        assert page.locator("#tl-settings").is_hidden()
        assert page.evaluate("document.activeElement.id") == "tl-settings-open"
        assert (folder / "settings.json").stat().st_mode & 0o777 == 0o600
        page.reload()
        page.wait_for_function("document.body.classList.contains('dark')")
        page.goto("about:blank")
    finally:
        running.stop()


def test_a_login_is_asked_for_and_leads_to_the_address_that_was_asked(
    browser: Any, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forensics.ui.login.people import FILE, add_person

    folder = tmp_path_factory.mktemp("login")
    monkeypatch.setenv(FILE, str(folder / "users"))
    add_person("ana", PASSWORD)
    running = Server(folder / "cases", folder / "server.log")
    running.start(ready="/lens/login/login.js")
    try:
        _log_in_and_out(browser, running, folder)
    finally:
        running.stop()
    log = (folder / "server.log").read_text()
    assert "wrong login of 'ana'" in log
    assert PASSWORD not in log


def _log_in_and_out(browser: Any, running: Server, folder: Path) -> None:
    case = synthetic.make_case(folder / "cases" / "drawn", 12, title="Behind the login")
    name = Workspace(folder / "cases").enter(case.folder)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{running.url}/?case={name}&tab=case")
    page.fill("#name", "ana")
    page.fill("#password", "something wrong")
    page.keyboard.press("Enter")
    page.get_by_text("Name or password is wrong.").wait_for()
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#case-summary .tl-root[data-ready]", timeout=60_000)
    assert page.inner_text("#tl-account") == "ana"
    assert page.evaluate("document.cookie") == ""  # no script can read the session
    (cookie,) = [c for c in context.cookies() if c["name"] == "triggerlens-session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    page.click("#tab-home-button")
    page.get_by_text("A case folder that is already there").click()
    page.fill("#case-folder input, #case-folder textarea", str(case.folder))
    page.click("#case-enter")  # an event of Gradio's passes the gate too
    page.wait_for_selector("#tab-case-button[aria-selected=true]")
    page.click("#tl-logout")
    page.wait_for_selector("#login")
    context.close()

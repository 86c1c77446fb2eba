"""What keeps pages fast, apart from any clock: connections, and modules fetched ahead."""

import json
import re
import socket
from pathlib import Path

from forensics.ui.app import _listen
from forensics.ui.forms import blocks
from forensics.ui.forms.preload import EVERYWHERE, FIRST, FOLDER, modules, preloads


def test_connections_send_the_body_of_an_answer_at_once():
    """Else it waits for the acknowledgement of the head: 40 ms for each of a page's requests."""
    with (
        _listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as taken,
    ):
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_every_module_that_a_tab_needs_is_fetched_ahead():
    lists = json.loads(re.search(r"lists = (\{.*\});", preloads()).group(1))
    for tab, first in FIRST.items():
        listed = {*lists["everywhere"], *lists["tabs"][tab]}
        assert {f"/lens/{name}" for name in modules(first)} <= listed
        assert len(lists["tabs"][tab]) == len(set(lists["tabs"][tab]))


def test_imports_are_read_as_a_browser_reads_them():
    found = set(modules(["attention/tab.js"]))
    assert {"core/api.js", "sample/inspector.js", "chart/frame.js"} <= found
    written = (FOLDER / "attention" / "tab.js").read_text()
    direct = re.findall(r'from "(\./[^"]+)"', written)
    assert direct and all(f"attention/{name[2:]}" in found for name in direct)


def test_the_lists_name_every_panel_of_the_page():
    written = "".join(path.read_text() for path in Path(blocks.__file__).parent.glob("*.py"))
    mounted = set(re.findall(r'panel\("([^"]+\.js)"', written))
    listed = set(modules([*EVERYWHERE, *(name for first in FIRST.values() for name in first)]))
    # The drawer's forms are built when it is opened.
    assert mounted - listed == {"methods/drawer.js", "methods/about.js"}
    assert {"shell/top.js", "attention/tab.js", "home/cases.js"} <= mounted

"""A real server in a process of its own, and a real Chromium to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.worker import client

REPOSITORY = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which(
    "google-chrome")  # fmt: skip
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
]  # nothing is drawn in three dimensions; a GPU played by two cores takes a fifth of them
START = "from forensics.ui import serve; import sys; serve(port=int(sys.argv[1]))"


class Server:
    """The app on a port of its own; it can be stopped and started again there.

    Args:
        cases: Its folder of cases.
        log: Where its output goes.
    """

    def __init__(self, cases: Path, log: Path) -> None:
        self.cases = cases
        self._log = log
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, ready: str = "/config") -> None:
        changed = {"TRIGGERLENS_CASES": str(self.cases), "OMP_NUM_THREADS": "1",
                   "PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"}  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(self.port)],
                env=os.environ | changed, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}{ready}", timeout=5) as answer:
                    answer.read()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        self.stop()  # whoever asked gets no hold of it
        raise AssertionError(f"The server does not start: {self._log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:  # a page still listens
                self._process.kill()
                self._process.wait(timeout=10)
            self._process = None


class Held:
    """Requests of a page that wait until they are released: a slow server, as slow as a test likes.

    Args:
        page: The page.
        pattern: Which addresses.
        answered: The server is asked at once, and its answers wait: they grow stale.
    """

    def __init__(self, page: Any, pattern: str, *, answered: bool = False) -> None:
        self._page, self._pattern = page, pattern
        self._waiting: list[tuple[Any, dict[str, Any]]] = []
        page.route(pattern, lambda route: self._waiting.append(
            (route, {"response": route.fetch()} if answered else {})))  # fmt: skip

    def wait(self) -> None:
        """Wait for a first request where none is there yet."""
        end = time.monotonic() + 60
        while not self._waiting:
            assert time.monotonic() < end, f"Nothing asked for {self._pattern}."
            self._page.wait_for_timeout(20)

    def release(self) -> None:
        """Let all requests go on, at least one, and later ones pass."""
        self.wait()
        for route, answer in self._waiting:
            if answer:
                route.fulfill(**answer)
            else:
                route.continue_()
        self._page.unroute(self._pattern)


class Watched:
    """A page of which every request, error and dialog is noted."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.set_default_timeout(60_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: (self.problems.append("dialog"), dialog.dismiss()))
        page.on("console", self._note)
        page.on("response", self._look)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _look(self, response: Any) -> None:
        if response.status >= 500:  # the console tells of it without an address
            self.problems.append(f"{response.status} {response.url}")

    def foreign(self) -> list[str]:
        """Return addresses outside this machine that were asked for."""
        own = ("http://127.0.0.1:", "data:", "blob:")
        return [url for url in self.requests if not url.startswith(own)]


def leave(page: Any, case: Case) -> None:
    """Stop a case's worker after its page is gone: what the page still asks would fail."""
    page.goto("about:blank")
    client.stop_worker(case)


@contextmanager
def chromium() -> Iterator[Any]:
    """Run the system's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The gate in front of our routes: cookies, brute force, names of hosts and in the journal."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from forensics.case import Case
from forensics.errors import OptionError
from forensics.ui.app import Access, own_routes, protect
from forensics.ui.context import open_context
from forensics.ui.environment import check_host, checked_hosts
from forensics.ui.login import desk as desk_module
from forensics.ui.login.desk import Desk
from forensics.ui.login.gate import COOKIE
from forensics.ui.login.passwords import Entry, make_entry
from tests.ui import synthetic
from tests.ui.login.test_desk import GOOD, QUICK, Some
from tests.ui.serving import REPOSITORY

HEADER = {"x-triggerlens": "1"}
BASE = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = synthetic.make_case(tmp_path_factory.mktemp("cases") / "drawn", 40)
    synthetic.scan(made)
    return made


@pytest.fixture(scope="module")
def app(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Any:
    context = open_context(case.folder.parent)
    context.workspace.enter(case.folder)
    return protect(own_routes(context), Desk(Some(make_entry("ana", GOOD, QUICK))), Access())


@pytest.fixture
def client(app: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(desk_module, "_NOBODY", Entry("nobody", QUICK, b"s" * 16, b"k" * 32))
    yield TestClient(app, base_url=BASE, client=(f"10.0.{next(COUNT)}.1", 1))


COUNT = itertools.count()


def log_in(client: TestClient, name: str = "ana", password: str = GOOD) -> Any:
    given = {"name": name, "password": password}
    return client.post("/api/login", json=given, headers=HEADER)


def test_every_route_answers_401_without_a_login(case: Case) -> None:
    """In a process of its own: Gradio leaves event loops behind."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.ui.login.every_route", str(case.folder.parent)],
        cwd=REPOSITORY, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 100


def test_pictures_downloads_and_scripts_need_a_login(client: TestClient, case: Case) -> None:
    name = open_context(case.folder.parent).workspace.enter(case.folder)
    run = case.runs()[0].id
    addresses = ["/lens/app.css", "/lens/core/api.js", f"/pictures/{name}/thumb/0",
                 f"/api/cases/{name}", f"/api/cases/{name}/runs/{run}/export/flagged.csv",
                 ]  # fmt: skip
    for address in addresses:
        assert client.get(address).status_code == 401, address
    assert log_in(client).status_code == 200
    for address in addresses:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("path", [
    "/lens/login/login.js/../../app.css", "/lens/login/../app.css", "//lens/app.css",
    "/lens/login/login.js%2f..%2f..%2fapp.css", "/api/login/../cases", "/API/LOGIN",
    "/lens/login/page.html", "/api/login",
])  # fmt: skip
def test_no_spelling_of_an_address_gets_past_the_gate(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (401, 404)
    assert "tl-card" not in client.get(path).text


def test_a_browser_gets_the_login_at_the_address_it_asked_for(client: TestClient) -> None:
    answer = client.get("/?case=abc&tab=review", headers={"accept": "text/html,*/*"})
    assert answer.status_code == 401
    assert '<form id="login">' in answer.text
    assert "abc" not in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    for public in ("/lens/login/login.js", "/lens/login/login.css"):
        assert client.get(public).status_code == 200


def test_the_cookie_is_hidden_from_scripts_and_from_other_sites(client: TestClient) -> None:
    cookie = log_in(client).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert client.get("/api/account").json() == {"name": "ana", "login": True}


@pytest.mark.parametrize(("access", "base"), [
    (Access(tls_proxy=True), BASE), (Access(), "https://127.0.0.1:7860"),
])  # fmt: skip
def test_with_tls_the_cookie_never_travels_without(case: Case, access: Access, base: str) -> None:
    desk = Desk(Some(make_entry("ana", GOOD, QUICK)))
    server = protect(own_routes(open_context(case.folder.parent)), desk, access)
    assert "Secure" in log_in(TestClient(server, base_url=base)).headers["set-cookie"].split("; ")


def test_logging_out_ends_the_session_everywhere(client: TestClient) -> None:
    log_in(client)
    token = client.cookies[COOKIE]
    assert client.post("/api/logout", headers=HEADER).status_code == 200
    assert client.get("/api/cases", cookies={COOKIE: token}).status_code == 401


def test_a_login_ends_the_session_before_it(client: TestClient) -> None:
    log_in(client)
    old = client.cookies[COOKIE]
    log_in(client)
    assert client.cookies[COOKIE] != old
    client.cookies.clear()
    assert client.get("/api/cases", cookies={COOKIE: old}).status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "a" * 4000, '"', "../../etc"])
def test_a_made_up_session_is_none(client: TestClient, cookie: str) -> None:
    answer = client.get("/api/cases", headers={"cookie": f"a@b=1; {COOKIE}={cookie}"})
    assert answer.status_code == 401


def test_cookies_of_other_apps_do_no_harm(client: TestClient) -> None:
    log_in(client)
    mine = client.cookies[COOKIE]
    client.cookies.clear()
    cookie = f'we{{ird}}="[1,2]"; {COOKIE}={mine}'
    assert client.get("/api/cases", headers={"cookie": cookie}).status_code == 200


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'{"name": "ana"}', b'{"name": ["ana"], "password": "x"}',
    b"[" * 5000, b'{"name": "ana", "password": "' + b"x" * 9000 + b'"}',
])  # fmt: skip
def test_what_is_no_login_is_refused(client: TestClient, body: bytes) -> None:
    assert client.post("/api/login", content=body, headers=HEADER).status_code == 400


def test_another_site_cannot_log_in_or_out_for_somebody(client: TestClient) -> None:
    given = {"name": "ana", "password": GOOD}
    assert client.post("/api/login", json=given).status_code == 403
    foreign = HEADER | {"origin": "http://evil.example"}
    assert client.post("/api/login", json=given, headers=foreign).status_code == 403
    log_in(client)
    assert client.post("/api/logout").status_code == 403
    assert client.get("/api/cases").status_code == 200


def test_brute_force_is_put_off_and_logged(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [log_in(client, "zoe\nforged line", f"guess number {k}") for k in range(12)]
    codes = [answer.status_code for answer in answers]
    assert codes[:5] == [401] * 5
    assert codes[-1] == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Try again in" in answers[-1].json()["remedy"]
    assert log_in(client).status_code == 429  # the right one is not looked at either
    assert "wrong login" in caplog.text
    assert "\nforged" not in caplog.text
    assert "guess number" not in caplog.text  # what people type stays out of the log


def test_wrong_name_and_wrong_password_get_the_same_words(client: TestClient) -> None:
    one, other = log_in(client, "ana", "wrong words here"), log_in(client, "zoe", GOOD)
    assert (one.status_code, one.content) == (other.status_code, other.content)


def test_the_audit_trail_carries_the_name_of_who_logged_in(client: TestClient, case: Case) -> None:
    log_in(client)
    name = open_context(case.folder.parent).workspace.enter(case.folder)
    path = f"/api/cases/{name}/runs/{case.runs()[0].id}/cut"
    body = {"rule": "root", "tau": 2.0, "cut": None}
    assert client.post(path, json=body, headers=HEADER).status_code == 200
    assert case.journal.entries("move-cut")[-1].who == "ana"


def test_without_logins_nobody_is_asked(case: Case) -> None:
    client = TestClient(
        protect(own_routes(open_context(case.folder.parent)), None, Access()), base_url=BASE
    )
    assert client.get("/api/cases").status_code == 200
    assert client.get("/api/account").json()["login"] is False


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_others_are_served_only_where_somebody_can_log_in(host: str) -> None:
    with pytest.raises(OptionError, match="no login") as caught:
        check_host(host)
    assert "--add-user" in caught.value.remedy
    check_host(host, logins=True)


def test_a_proxy_or_another_name_shows_the_app_to_others_too() -> None:
    for access in (Access(hosts=("lens.example",)), Access(tls_proxy=True)):
        with pytest.raises(OptionError, match="no login"):
            check_host(access.host, exposed=access.exposed)
    check_host("127.0.0.1", exposed=Access().exposed)


@pytest.mark.parametrize("name", ["*", "*.example.org", "", "a b", "a/b", "host:80", "[::1]"])
def test_only_whole_names_are_allowed(name: str) -> None:
    with pytest.raises(OptionError, match="name of a host"):
        checked_hosts([name])


def test_the_named_host_is_answered_and_no_other(case: Case) -> None:
    access = Access(host="192.168.1.5", hosts=("Lens.Example.org",))
    desk = Desk(Some(make_entry("ana", GOOD, QUICK)))
    client = TestClient(protect(own_routes(open_context(case.folder.parent)), desk, access))
    for host in ("lens.example.org:7860", "LENS.example.org", "192.168.1.5:7860", "localhost"):
        assert client.get("/api/cases", headers={"host": host}).status_code == 401, host
    for host in ("evil.example", "example.org", "0.0.0.0", "x.lens.example.org"):
        assert client.get("/api/cases", headers={"host": host}).status_code == 403, host


def test_too_large_a_request_is_refused(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGGERLENS_REQUEST_MEGABYTES", "1")
    log_in(client)
    big = client.post("/api/cases/x/selection", content=b"x" * (2 << 20), headers=HEADER)
    assert big.status_code == 413

"""Who may talk to the server."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from forensics.errors import OptionError
from forensics.ui.environment import prepare
from forensics.ui.guard import Guard


async def hello(_request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


INNER = Starlette(routes=[
    Route("/", hello, methods=["GET", "POST"]),
    Route("/api/cut", hello, methods=["GET", "POST"]),
    Route("/gradio_api/upload", hello, methods=["GET", "POST"]),
])  # fmt: skip
CLIENT = TestClient(Guard(INNER), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost", "localhost:1", "[::1]:7860"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert CLIENT.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:7860", "localhost.evil.example", "0.0.0.0", ""]
)
def test_other_names_are_refused_against_dns_rebinding(host: str) -> None:
    assert CLIENT.get("/", headers={"host": host}).status_code == 403


def test_a_name_that_was_allowed_is_answered_and_nothing_near_it() -> None:
    client = TestClient(Guard(INNER, frozenset({"lens.example.org"})))
    for host, code in (("lens.example.org:7860", 200), ("Lens.Example.Org", 200),
                       ("localhost", 200), ("example.org", 403), ("a.lens.example.org", 403),
                       ("lens.example.org.evil.example", 403)):  # fmt: skip
        assert client.get("/", headers={"host": host}).status_code == code, host


def test_a_post_from_another_site_is_refused() -> None:
    headers = {"origin": "http://evil.example", "x-triggerlens": "1"}
    assert CLIENT.post("/", headers=headers).status_code == 403
    assert CLIENT.post("/", headers={"origin": "http://127.0.0.1:9999"}).status_code == 403
    assert CLIENT.post("/", headers={"origin": "null"}).status_code == 403
    assert CLIENT.post("/", headers={"origin": "http://127.0.0.1:7860"}).status_code == 200


def test_our_changing_routes_ask_for_a_header_that_forms_cannot_send() -> None:
    assert CLIENT.post("/api/cut").status_code == 403
    assert CLIENT.post("/api/cut", headers={"x-triggerlens": "1"}).status_code == 200
    assert CLIENT.get("/api/cut").status_code == 200


def test_gradio_routes_without_a_use_are_closed() -> None:
    assert CLIENT.get("/gradio_api/upload").status_code == 403


def test_every_answer_forbids_sniffing_framing_and_foreign_connections() -> None:
    for answer in (CLIENT.get("/"), CLIENT.get("/", headers={"host": "evil.example"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "connect-src 'self'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("name", ["GRADIO_SHARE", "GRADIO_VIBE_MODE"])
def test_an_environment_that_would_open_the_app_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(OptionError, match=name):
        prepare()

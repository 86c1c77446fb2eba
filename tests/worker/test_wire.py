import os
import pickle
import struct
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client

import pytest

from forensics.errors import CaseError
from forensics.worker.live import LiveServer
from forensics.worker.wire import (
    LARGEST_REQUEST,
    Place,
    _dial,
    connect,
    limit_time,
    place_of,
    receive,
    send,
)


class Bomb:
    def __reduce__(self):
        return (os.mkdir, (os.environ["BOMB"],))


@pytest.fixture
def server(tmp_path, monkeypatch, runtime):
    monkeypatch.setattr("forensics.worker.live.PATIENCE", 0.5)
    monkeypatch.setenv("BOMB", str(tmp_path / "exploded"))
    place = Place(socket=runtime / "s", key=runtime / "k")
    made = LiveServer(place, lambda request: {"result": request})
    made.open()
    yield made, place
    made.close()


def ask(place, message):
    with connect(place, 2.0) as connection:
        send(connection, message)
        return receive(connection, 2**20)


def raw(place):
    peer = _dial(place.socket, 3.0)
    peer.settimeout(3.0)
    return peer


def test_a_request_gets_its_reply(server):
    assert ask(server[1], {"call": "<b>ü</b>"}) == {"result": {"call": "<b>ü</b>"}}


def test_the_key_is_for_this_user_only_and_new_for_every_worker(server):
    place = server[1]
    first = place.key.read_bytes()
    assert place.key.stat().st_mode & 0o077 == 0
    server[0].close()
    server[0].open()
    assert place.key.read_bytes() != first


def test_a_wrong_key_is_refused_and_the_server_goes_on(server):
    with pytest.raises(AuthenticationError):
        Client(str(server[1].socket), "AF_UNIX", authkey=b"guess")
    assert ask(server[1], {"n": 1}) == {"result": {"n": 1}}


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("!i", -1) + struct.pack("!Q", 2**63 - 1),
        struct.pack("!i", 2**31 - 1),
        b"\x00" * 4096,
        b"\x80\x04",
    ],
)
def test_garbage_instead_of_a_handshake_costs_only_its_connection(server, garbage):
    with raw(server[1]) as peer:
        peer.sendall(garbage)
        assert drained(peer)
    assert ask(server[1], {"n": 1}) == {"result": {"n": 1}}


def drained(peer):
    """Read until the server hangs up."""
    while True:
        try:
            if not peer.recv(4096):
                return True
        except ConnectionResetError:
            return True


def test_a_peer_that_falls_silent_is_hung_up_on(server):
    with raw(server[1]) as peer:
        assert drained(peer)


def test_many_silent_peers_do_not_keep_a_real_one_out_for_long(server):
    peers = [raw(server[1]) for _ in range(40)]
    assert all(drained(peer) for peer in peers)
    for peer in peers:
        peer.close()
    assert ask(server[1], {"n": 1}) == {"result": {"n": 1}}


def test_a_request_over_the_limit_is_not_read(server):
    with connect(server[1], 2.0) as connection, pytest.raises((OSError, EOFError)):
        connection.send_bytes(b'"' + b"x" * LARGEST_REQUEST + b'"')
        receive(connection, 2**20)
    assert ask(server[1], {"n": 1}) == {"result": {"n": 1}}


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff\xfe", b'"x"', b"[" * 200_000, b""])
def test_what_is_no_json_object_gets_an_error_for_a_reply(server, text):
    with connect(server[1], 2.0) as connection:
        connection.send_bytes(text)
        assert "not valid" in receive(connection, 2**20)["error"]


def test_a_pickle_is_text_that_does_not_parse(server, tmp_path):
    with connect(server[1], 2.0) as connection:
        connection.send_bytes(pickle.dumps(Bomb()))
        assert "not valid" in receive(connection, 2**20)["error"]
    assert not (tmp_path / "exploded").exists()


def test_nothing_in_the_worker_unpickles():
    from pathlib import Path

    import forensics.worker

    folder = Path(forensics.worker.__file__).parent
    text = "".join(path.read_text() for path in folder.glob("*.py"))
    assert ".recv()" not in text and "import pickle" not in text and "pickle.load" not in text


def test_a_late_answer_ends_the_wait(runtime):
    release = threading.Event()
    place = Place(socket=runtime / "s", key=runtime / "k")
    server = LiveServer(place, lambda _: {"result": release.wait(5)})
    server.open()
    with connect(place, 2.0) as connection:
        limit_time(connection, 0.2)
        send(connection, {})
        with pytest.raises(BlockingIOError):
            receive(connection, 100)
    release.set()
    server.close()


def test_a_shared_or_foreign_runtime_folder_is_refused(tmp_path, monkeypatch):
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    link = tmp_path / "link"
    (tmp_path / "mine").mkdir(mode=0o700)
    link.symlink_to(tmp_path / "mine")
    for folder in (open_to_all, link):
        monkeypatch.setenv("FORENSICS_RUNTIME_DIR", str(folder))
        with pytest.raises(CaseError, match="not a folder of yours alone"):
            place_of(tmp_path)


def test_the_socket_path_is_short_however_deep_the_case_lies(tmp_path, monkeypatch, runtime):
    monkeypatch.setenv("FORENSICS_RUNTIME_DIR", str(runtime))
    deep = tmp_path / ("x" * 200) / ("ü" * 90)
    assert len(os.fsencode(place_of(deep).socket.name)) == 29
    monkeypatch.setenv("FORENSICS_RUNTIME_DIR", str(tmp_path / ("y" * 90)))
    with pytest.raises(CaseError, match="too long for a socket"):
        place_of(deep)

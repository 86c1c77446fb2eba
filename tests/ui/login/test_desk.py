"""Tries, waits and sessions, with a clock of our own."""

import pytest

from forensics.errors import OptionError
from forensics.ui.login import desk as desk_module
from forensics.ui.login.desk import LIFE, Desk
from forensics.ui.login.passwords import Entry, make_entry
from forensics.ui.login.people import People
from forensics.ui.login.throttle import FORGET, FREE, MOST, Throttle, network

QUICK = (2**4, 1, 1)
GOOD = "four plain words here"


class Clock:
    """A clock that a test winds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Some(People):
    """People without a file."""

    def __init__(self, *entries: Entry) -> None:
        self.known = {entry.name: entry for entry in entries}
        self.damaged = False

    def entries(self) -> dict[str, Entry]:
        if self.damaged:
            raise OptionError("damaged")
        return self.known


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> Some:
    monkeypatch.setattr(desk_module, "_NOBODY", Entry("nobody", QUICK, b"s" * 16, b"k" * 32))
    return Some(make_entry("ana", GOOD, QUICK), make_entry("ben", GOOD, QUICK))


@pytest.fixture
def desk(people: Some, clock: Clock) -> Desk:
    return Desk(people, clock)


def test_the_right_password_opens_a_session_and_logging_out_ends_it(desk: Desk) -> None:
    token = desk.log_in("ana", GOOD, "10.0.0.1").token
    assert desk.who(token) == "ana"
    assert desk.who(token + "x") is None
    assert desk.who("") is None
    desk.log_out(token)
    assert desk.who(token) is None


def test_a_session_ends_by_itself(desk: Desk, clock: Clock) -> None:
    token = desk.log_in("ana", GOOD, "10.0.0.1").token
    clock.now += LIFE - 1
    assert desk.who(token) == "ana"
    clock.now += 2
    assert desk.who(token) is None


def test_a_new_password_or_a_removed_name_ends_sessions(desk: Desk, people: Some) -> None:
    ana, ben = (desk.log_in(name, GOOD, "10.0.0.1").token for name in ("ana", "ben"))
    people.known["ana"] = make_entry("ana", "another set of words", QUICK)
    del people.known["ben"]
    assert desk.who(ana) is None
    assert desk.who(ben) is None


def test_damaged_logins_let_nobody_in(desk: Desk, people: Some) -> None:
    token = desk.log_in("ana", GOOD, "10.0.0.1").token
    people.damaged = True
    assert desk.who(token) is None
    assert desk.log_in("ana", GOOD, "10.0.0.1").token == ""


@pytest.mark.parametrize(("name", "password"), [
    ("ana", "wrong words here"), ("nobody", GOOD), ("", GOOD), ("ana' OR 1=1", GOOD),
    ("a" * 5000, GOOD), ("ana", ""),
])  # fmt: skip
def test_anything_else_is_a_plain_no(desk: Desk, name: str, password: str) -> None:
    answer = desk.log_in(name, password, "10.0.0.1")
    assert (answer.token, answer.wait) == ("", 0.0)


def test_an_unknown_name_costs_a_hash_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = Entry.fits
    monkeypatch.setattr(Entry, "fits", lambda e, p: hashed.append(e.name) or real(e, p))
    desk.log_in("ana", "wrong words here", "10.0.0.1")
    desk.log_in("zoe", "wrong words here", "10.0.0.1")
    assert hashed == ["ana", "nobody"]


def test_guessing_one_name_from_many_addresses_is_slowed(desk: Desk, clock: Clock) -> None:
    looked_at = 0
    for second in range(3600):
        clock.now += 1
        answer = desk.log_in(
            "ana", f"guess number {second}", f"10.0.{second // 250}.{second % 250}"
        )
        looked_at += answer.wait == 0
    assert looked_at < FREE + 6 + 3600 / 60 + 1
    assert desk.log_in("ben", GOOD, "10.9.9.9").token  # others are not kept waiting


def test_guessing_many_names_from_one_address_is_slowed(desk: Desk, clock: Clock) -> None:
    looked_at = 0
    for second in range(3600):
        clock.now += 1
        looked_at += desk.log_in(f"name{second}", "guess number 1", "10.0.0.1").wait == 0
    assert looked_at < 20
    assert desk.log_in("ana", GOOD, "10.0.0.1").wait > 0  # not even a right one is looked at
    assert desk.log_in("ana", GOOD, "10.0.0.2").token


def test_an_own_login_between_guesses_does_not_reset_an_address(desk: Desk, clock: Clock) -> None:
    looked_at = 0
    for second in range(600):
        clock.now += 1
        looked_at += desk.log_in("ana", f"guess number {second}", "10.0.0.1").wait == 0
        desk.log_in("ben", GOOD, "10.0.0.1")
    assert looked_at < 20


def test_waits_are_forgotten_in_time(clock: Clock) -> None:
    throttle = Throttle(clock)
    for _ in range(FREE):
        assert throttle.enter("10.0.0.1", "ana") == 0
    assert throttle.enter("10.0.0.1", "ana") > 0
    clock.now += FORGET + 1
    assert throttle.enter("10.0.0.1", "ana") == 0


def test_waits_double(clock: Clock) -> None:
    throttle, waits = Throttle(clock), []
    for number in range(FREE + 6):
        waits.append(throttle.enter("10.0.0.1", f"name{number}"))
        if waits[-1]:
            clock.now += waits[-1]
            assert throttle.enter("10.0.0.1", f"name{number}") == 0
    assert waits == [0.0] * FREE + [1, 2, 4, 8, 16, 32]


def test_counts_stay_bounded(clock: Clock) -> None:
    throttle = Throttle(clock)
    for number in range(MOST // 2 + 100):
        throttle.enter(f"2001:db8:{number:x}::1", f"name{number}")
    assert len(throttle._counts) == MOST


@pytest.mark.parametrize(("address", "counted"), [
    ("10.0.0.1", "10.0.0.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ("::ffff:10.0.0.1", "10.0.0.1"), ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient"),
])  # fmt: skip
def test_an_address_counts_as_its_network(address: str, counted: str) -> None:
    assert network(address) == counted

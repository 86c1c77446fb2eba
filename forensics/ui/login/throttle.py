"""How often a password may be tried: waits that grow, per address and per name."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5  # wrong tries before the first wait: people mistype
FORGET = 900.0  # seconds without a wrong try after which a count begins anew
# A name waits less than an address, so that strangers cannot keep its owner out for long.
LONGEST = {"address": 900.0, "name": 60.0}
MOST = 20_000  # counts kept; the oldest go first


@dataclass(slots=True)
class _Count:
    wrong: int
    last: float


class Throttle:
    """Counts of wrong tries.

    A try counts as wrong before it is looked at, so that many at once gain nothing.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def enter(self, address: str, name: str) -> float:
        """Begin a try.

        Returns:
            0 if it may be made, and then it counts; else the seconds to wait, and nothing counts.
        """
        now = self._clock()
        keys = (("address", network(address)), ("name", name))
        with self._lock:
            wait = max(self._wait(key, now) for key in keys)
            if wait <= 0:
                for key in keys:
                    self._count(key, now)
        return max(0.0, wait)

    def succeed(self, address: str, name: str) -> None:
        """Take back what a right try was counted as; the name begins anew."""
        with self._lock:
            self._counts.pop(("name", name), None)
            count = self._counts.get(("address", network(address)))
            if count is not None:
                count.wrong = max(0, count.wrong - 1)

    def _wait(self, key: tuple[str, str], now: float) -> float:
        count = self._counts.get(key)
        if count is None or now - count.last > FORGET or count.wrong < FREE:
            return 0.0
        pause = min(2.0 ** min(count.wrong - FREE, 20), LONGEST[key[0]])
        return count.last + pause - now

    def _count(self, key: tuple[str, str], now: float) -> None:
        count = self._counts.pop(key, None)
        if count is None or now - count.last > FORGET:
            count = _Count(0, now)
        self._counts[key] = _Count(count.wrong + 1, now)
        while len(self._counts) > MOST:
            self._counts.popitem(last=False)


def network(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64, which one customer has whole."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:80]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)

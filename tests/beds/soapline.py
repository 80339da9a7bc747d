"""A line in front of the simulator, on loopback, that knows what is said on it.

It ends the encryption and begins it anew, so that it can count the calls by their names, lose
answers, fall silent, break off, and answer in the server's place.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.beds import certificates
from tests.beds.simulator import Simulator
from tests.beds.soapcalls import SoapCall, SoapCounts
from tests.beds.soapends import Ends
from tests.beds.soaptrouble import Deed, SoapTrouble

__all__ = ["Deed", "SoapLine", "SoapTrouble"]
_WITHIN = 60.0


class SoapLine:
    """Carries calls to a simulator from ``with SoapLine(simulator) as line`` to the block's end.

    ``url`` is like the simulator's, and the same authority vouches for it. Trouble may be made
    at any time; the calls to come are counted from then on. ``when_changing`` is called right
    before the server gets a call that may change something.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.upstream = simulator
        self.counts = SoapCounts()
        self.ca_file = certificates.for_loopback() / "cacert.pem"
        self.when_changing: Callable[[], object] = lambda: None
        self._troubles: list[tuple[SoapTrouble, Counter[str]]] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = Ends(self, simulator)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"https://127.0.0.1:{self.port}/sdk"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join(_WITHIN)
        self._server.end()

    def make(self, trouble: SoapTrouble) -> None:
        """From now on this happens, besides what else is to happen; the first that fits does."""
        with self._lock:
            self._troubles.append((trouble, Counter()))

    def calm(self) -> None:
        """Nothing happens any more, and what hangs goes on."""
        with self._lock:
            self._troubles.clear()
        self.release()

    def lead_to(self, other: Simulator) -> None:
        """Connections to come end at another simulator."""
        self._server.upstream = other

    def release(self) -> None:
        """Let every answer go on that hangs."""
        self._released.set()
        self._released = threading.Event()

    # What the connections ask for ---------------------------------------------------------------

    def arrived(self, call: SoapCall) -> SoapTrouble | None:
        """Count a call; what is to happen to it, if anything is."""
        with self._lock:
            self.counts.arrived[call.method] += 1
            if call.changes:
                self.counts.changes.append(call)
            fitting = [one for one in self._troubles if one[0].method == call.method]
            for _, seen in fitting:
                seen[call.method] += 1
            met = [one for one, seen in fitting if one.meets(seen[call.method])]
            return met[0] if met else None

    def passed(self, call: SoapCall) -> threading.Event:
        """Count a call that the server gets now; what to wait for if its answer is to hang."""
        if call.changes:
            self.when_changing()
        with self._lock:
            self.counts.passed[call.method] += 1
            return self._released

    def answered(self, call: SoapCall) -> None:
        """Count a call whose answer was carried back."""
        with self._lock:
            self.counts.answered[call.method] += 1

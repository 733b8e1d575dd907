"""Two hundred viewers that never read: one that does must not notice."""

import socket
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.bench.figures import Figure, Part
from tests.bench.processes import cpu_s, pss_mib
from tests.soak.kills import open_stream
from tests.soak.watched_program import furnish, scene

SLOW_VIEWERS = 200
LEAST_RATE = 0.9
_ALONE_S = 10.0
_TOGETHER_S = 20.0
_PART = b"Content-Type: image/jpeg"


def run() -> Part:
    """Count a viewer's pictures alone, then beside those that do not read."""
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)) as stage:
        program = stage.program.start()
        pid = program.process.pid
        with program.set_up() as client, ExitStack() as stack:
            furnish(client, stage.camera)
            view = client.get("/api/templates").json()["items"][0]["id"]
            healthy = stack.enter_context(Reader(open_stream(program, client, view)))
            time.sleep(2)
            alone = healthy.rate(_ALONE_S)
            before_mib, before_kib = pss_mib([pid]), _socket_kib()
            for _ in range(SLOW_VIEWERS):
                stack.enter_context(open_stream(program, client, view))
            before_s = cpu_s(pid)
            together = healthy.rate(_TOGETHER_S)
            spent_s = cpu_s(pid) - before_s
            figures = [
                Figure(name="rate alone", value=alone, unit="/s", at_least=1),
                Figure(name="rate beside them", value=together / alone, unit="× alone", at_least=LEAST_RATE),
                Figure(name="main process's CPU meanwhile", value=100 * spent_s / _TOGETHER_S, unit="% core"),
                Figure(name="memory they cost it", value=pss_mib([pid]) - before_mib, unit="MiB"),
                Figure(name="memory of sockets", value=(_socket_kib() - before_kib) / 1024, unit="MiB"),
            ]
    return Part(f"{SLOW_VIEWERS} viewers that never read", figures)


class Reader(threading.Thread):
    """Reads a stream as fast as it comes and counts its pictures."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self._connection = connection
        self._ending = False
        self.pictures = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self.join()
        self._connection.close()

    def run(self) -> None:
        tail = b""
        while not self._ending and (data := self._connection.recv(1 << 18)):
            seen = tail + data
            self.pictures += seen.count(_PART)
            tail = seen[-(len(_PART) - 1) :]

    def rate(self, seconds: float) -> float:
        """Pictures per second over the next `seconds`."""
        before, began = self.pictures, time.monotonic()
        time.sleep(seconds)
        return (self.pictures - before) / (time.monotonic() - began)


def _socket_kib() -> float:
    """What the kernel keeps for TCP sockets of this machine: pages of 4 KiB (proc(5), sockstat)."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return float(line.rpartition("mem ")[2]) * 4
    return 0.0

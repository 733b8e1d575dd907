"""The program killed again and again while it records: nothing is lost, nothing stays behind."""

import json
import random
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.bench.figures import Figure, Part, median, slowest
from tests.bench.processes import cpu_s
from tests.bench.start import time_until_ready
from tests.program import Program, glimpser, is_alive, wait_for
from tests.soak.watched_program import Scene, furnish, recorded, scene

ORPHANS_GONE_WITHIN_S = 2.0
READY_WITHIN_S = 3.0
STOPS_WITHIN_S = 10.0
REFUSES_WITHIN_S = 2.0
_KINDS = ("events", "captures")


EVERY_THIRD = 3
WORST_MOMENTS = ("event.picture_stored", "event.before_commit")
"""Failpoints: a picture is stored and no row names it; a transaction is written and not committed."""
_DIES_WITHIN_S = 60.0
_SECOND_LOOK_S = 3.0


@dataclass(slots=True)
class _Found:
    workers_gone_s: list[float] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)
    ready_cpu_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


def run(rounds: int, chance: random.Random) -> Part:
    """Kill the program `rounds` times; then end it as a service manager does, with streams open."""
    found = _Found()
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)) as stage:
        program = stage.program.start()
        with program.set_up() as client:
            furnish(client, stage.camera)
        for number in range(1, rounds + 1):
            before = _kill_at_random(program, found, chance)
            if number % EVERY_THIRD == 0:
                _die_at_the_worst_moment(stage, found, chance)
            _restart(program, before, found)
        refused_s, names_pid = _second_instance(program)
        stopped_s, status = _stop_with_streams_open(program)
        found.problems += _check(program)
    ending = [
        Figure(name="second instance refused", value=refused_s, unit="s", at_most=REFUSES_WITHIN_S),
        Figure(name="its refusal names the first one's pid", value=names_pid, unit="", at_least=1),
        Figure(name="SIGTERM with streams open", value=stopped_s, unit="s", at_most=STOPS_WITHIN_S),
        Figure(name="exit status then", value=abs(status), unit="", at_most=0),
    ]
    title = f"Killed {rounds} times while recording, and {rounds // EVERY_THIRD} times at the worst moment"
    return Part(title, [*_figures(found), *ending], found.problems)


def _figures(found: _Found) -> list[Figure]:
    gone, ready = "all ingest workers gone after kill -9", "ready again"
    return [
        *slowest(gone, found.workers_gone_s, at_most=ORPHANS_GONE_WITHIN_S),
        *slowest(ready, found.ready_s, at_most=READY_WITHIN_S),
        median("CPU of the main process until then", found.ready_cpu_s, "s"),
        Figure(name="problems found by fsck", value=len(found.problems), unit="", at_most=0),
        *(Figure(name=f"{kind} kept", value=found.kept[kind], unit="", at_least=1) for kind in _KINDS),
        *(Figure(name=f"{kind} lost", value=found.lost[kind], unit="", at_most=0) for kind in _KINDS),
    ]


def _kill_at_random(program: Program, found: _Found, chance: random.Random) -> Mapping[str, set[str]]:
    """Kill it some seconds from now; gives what was recorded by then."""
    with program.sign_in() as client:
        time.sleep(chance.uniform(0.2, 10.0))
        before = {kind: recorded(client, kind) for kind in _KINDS}
    time.sleep(chance.uniform(0.0, 0.3))
    workers = program.children()
    began = time.monotonic()
    program.kill()
    _wait_until_gone(workers, began, found)
    return before


def _die_at_the_worst_moment(stage: Scene, found: _Found, chance: random.Random) -> None:
    """Have it kill itself between two steps of recording an event."""
    failpoint = f"{chance.choice(WORST_MOMENTS)}:kill:{chance.randint(1, 4)}"
    armed = Program(stage.program.data_dir, {**stage.settings, "GLIMPSER_FAILPOINT": failpoint}).start()
    workers: set[int] = set()
    deadline = time.monotonic() + _DIES_WITHIN_S
    while armed.process.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            workers |= set(armed.children())
        time.sleep(0.005)
    if armed.process.poll() is None:
        found.problems.append(f"no event within {_DIES_WITHIN_S:.0f} s of {failpoint}")
    began = time.monotonic()
    armed.kill()
    _wait_until_gone(workers, began, found)


def _wait_until_gone(workers: Collection[int], began: float, found: _Found) -> None:
    wait_for(lambda: not any(map(is_alive, workers)), what="ingest workers gone")
    found.workers_gone_s.append(time.monotonic() - began)


def _restart(program: Program, before: Mapping[str, set[str]], found: _Found) -> None:
    """Start it on what the kill left, and look whether everything is there and in order."""
    began = time.monotonic()
    found.ready_s.append(time_until_ready(program.start(), began))
    found.ready_cpu_s.append(cpu_s(program.process.pid))
    with program.sign_in() as client:
        for kind in _KINDS:
            after = recorded(client, kind)
            found.lost[kind] += len(before[kind] - after)
            found.kept[kind] = len(after)
    found.problems += _check(program)


def _check(program: Program) -> list[str]:
    """Give what fsck finds amiss, and whether it still does when the program had time to finish."""
    problems = _fsck(program)
    if not problems:
        return []
    time.sleep(_SECOND_LOOK_S)
    later = _fsck(program)
    return [problem if problem in later else f"{problem} (gone at a second look)" for problem in problems]


def _fsck(program: Program) -> list[str]:
    told = glimpser("fsck", "--level", "hash", "--json", "--data-dir", str(program.data_dir))
    if not told.stdout:
        return [f"fsck ended with status {told.returncode}: {told.stderr[-200:]}"]
    found = json.loads(told.stdout)["problems"]
    return [f"{problem['kind']} {problem['subject']}: {problem['detail']}" for problem in found]


def _second_instance(program: Program) -> tuple[float, bool]:
    """Start another on the same data; seconds until it ended, and whether it named the one that runs."""
    began = time.monotonic()
    told = glimpser(
        "up", "--data-dir", str(program.data_dir), "--port", "0", GLIMPSER_OBSERVABILITY__PORT="0"
    )
    took_s = time.monotonic() - began
    assert told.returncode, "a second program started on the same data"
    return took_s, f"pid {program.process.pid}" in told.stderr


def _stop_with_streams_open(program: Program) -> tuple[float, int]:
    """Open streams, one that is read and one that is not; seconds until the program ended, its status."""
    with program.sign_in() as client, ExitStack() as stack:
        views = client.get("/api/templates").json()["items"]
        for view in views:
            stack.enter_context(open_stream(program, client, view["id"]))
        read = open_stream(program, client, views[0]["id"])
        stack.enter_context(read)
        wait_for(lambda: b"image/jpeg" in read.recv(65536), what="a picture in the stream")
        began = time.monotonic()
        status = program.terminate(STOPS_WITHIN_S * 2)
        return time.monotonic() - began, status


def open_stream(program: Program, client: httpx2.Client, template_id: str, query: str = "") -> socket.socket:
    """Ask for an MJPEG stream on a connection of its own; nothing is read yet."""
    port = int(program.url.rpartition(":")[2])
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    head = (
        f"GET /api/stream/{template_id}/mjpeg{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    )
    connection.sendall(head.encode())
    return connection

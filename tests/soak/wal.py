"""The write-ahead log broken off at a thousand places: the database holds together, and every row its object.

The program writes as fast as it can: pictures every second, with their captures, events, alerts, deliveries
and jobs. Now and then it is stopped and its database copied with its log, as a failing machine would leave
them. Each copy is then broken off at several places, opened, and looked through. At the end of each round the
program is killed, its own log is broken off, and it has to go on with what is left.

Nothing is deleted in these rounds. A log never breaks off before what was moved into the database file.
"""

import asyncio
import json
import math
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import simplejpeg

from glimpser.core.errors import GlimpserError
from glimpser.db import DatabaseSettings, open_database
from glimpser.services.integrity import CheckLevel, check
from glimpser.storage import open_files
from tests.bench.figures import Figure, Part
from tests.program import Program
from tests.program import glimpser as run_command
from tests.soak.wal_files import TAILS, Position, position_of, salt_of
from tests.soak.wal_writers import Acknowledged, Writers

ROUNDS = 5
SHOTS = 10
"""Copies taken in each round."""
_VIEWS = 8
_PAUSE_S = (0.2, 1.5)
_WARM_UP_S = 3.0
_STOPS_WITHIN_S = 5.0
_SETTLES_S = 5.0
_LAST_BYTES = 256 * 1024
_BEHIND_BYTES = 16 * 1024
_DATABASE = "glimpser.db"
_BROKEN_PAIR = ("missing", "size")
_NAMES_NOTHING = "reference"
_TABLES = ("jobs", "captures", "artifacts", "events", "alerts", "deliveries")


@dataclass(frozen=True, slots=True)
class _Shot:
    """What a machine that failed at some moment would have on its disk, and what it had promised by then."""

    file: Path
    log: bytes
    position: Position
    acknowledged: Sequence[Acknowledged]

    def is_promised(self, one: Acknowledged, cut: int) -> bool:
        """Tell whether something must be there although the log breaks off at `cut`."""
        return one.position.salt != self.position.salt or one.position.end <= cut


@dataclass(slots=True)
class _Found:
    """What the rounds came to; `problems` counts by the words of `fsck`, `tails` what lay behind a cut."""

    cuts: int = 0
    unopened: int = 0
    promised: int = 0
    broken_promises: int = 0
    gone: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    tails: Counter[str] = field(default_factory=Counter)
    after_restart: int = 0
    told: list[str] = field(default_factory=list)
    rows: int = 0

    def tell(self, what: str) -> None:
        if len(self.told) < 10:
            self.told.append(what)


def run(cuts: int, chance: random.Random) -> Part:
    """Break the log off at so many places."""
    began = time.monotonic()
    found = _Found()
    with tempfile.TemporaryDirectory() as folder, _program(Path(folder)) as program:
        copies = Path(folder) / "copies"
        for _ in range(ROUNDS):
            shots = _photograph(program, copies, found, chance)
            each = math.ceil(cuts / (ROUNDS * SHOTS))
            asyncio.run(_cut_all(shots, program.data_dir, each, found=found, chance=chance))
            shutil.rmtree(copies)
            _go_on_with_what_is_left(program, found, chance)
    notes = [
        f"{time.monotonic() - began:.0f} s; rows looked through in all: {found.rows}",
        "behind the cut: " + ", ".join(f"{name} {count}" for name, count in sorted(found.tails.items())),
        *found.told,
    ]
    return Part(f"The write-ahead log broken off at {found.cuts} places", _figures(found, cuts), notes)


def _figures(found: _Found, cuts: int) -> list[Figure]:
    other = found.problems.total() - sum(
        found.problems[name] for name in (*_BROKEN_PAIR, "structure", _NAMES_NOTHING)
    )
    zero = {
        "not opened": found.unopened,
        "integrity failures": found.problems["structure"],
        "rows that name a row that is gone": found.problems[_NAMES_NOTHING],
        "rows without their whole object": sum(found.problems[name] for name in _BROKEN_PAIR),
        "other problems (unfinished, leaseless, undelivered)": other,
        "promised before the cut and gone": found.broken_promises,
        "problems found by fsck after a start on what was left": found.after_restart,
    }
    return [
        Figure(name="cuts", value=found.cuts, unit="", at_least=cuts),
        *(Figure(name=name, value=value, unit="", at_most=0) for name, value in zero.items()),
        Figure(name="promised before the cut", value=found.promised, unit="", at_least=1),
        Figure(name="promised after the cut, and gone", value=found.gone, unit="", at_least=1),
    ]


# The program at work ----------------------------------------------------------------------------------


@contextmanager
def _program(folder: Path) -> Iterator[Program]:
    """Prepare a program that has views but does not run; at the end it is dead."""
    media = folder / "media"
    media.mkdir()
    grey = np.full((180, 320, 3), 128, np.uint8)
    (media / "still.jpg").write_bytes(simplejpeg.encode_jpeg(grey))
    settings = {
        "GLIMPSER_CAPTURE__FILE_ROOTS": json.dumps([str(media)]),
        "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]',
        "GLIMPSER_ALERTS__MIN_LEVEL": "debug",
        "GLIMPSER_SECURITY__RATE_LIMITS__PRINCIPAL": "10000/second",
        "GLIMPSER_SECURITY__RATE_LIMITS__PRINCIPAL_WRITES": "10000/second",
    }
    program = Program(folder / "data", settings).start()
    try:
        with program.set_up() as client:
            _furnish(client)
        program.kill()
        yield program
    finally:
        if program.process.poll() is None:
            program.kill()


def _furnish(client: httpx2.Client) -> None:
    """Add views with a picture every second, and somebody who is told of each, but never answers."""
    channel = {"name": "Nobody", "kind": "webhook", "config": {"url": "http://127.0.0.1:9/hook"}}
    client.post("/api/admin/channels", json=channel).raise_for_status()
    for number in range(_VIEWS):
        view = {
            "name": f"Still {number}",
            "kind": "file",
            "config": {"path": "still.jpg"},
            "schedule": "* * * * * *",
        }
        client.post("/api/templates", json=view).raise_for_status()


def _photograph(program: Program, copies: Path, found: _Found, chance: random.Random) -> list[_Shot]:
    """Let it write, copy its database now and then, and kill it."""
    copies.mkdir()
    program.start()
    shots: list[_Shot] = []
    with program.sign_in() as client, Writers(client, program.data_dir / _DATABASE) as writers:
        time.sleep(_WARM_UP_S)
        while len(shots) < SHOTS:
            time.sleep(chance.uniform(*_PAUSE_S))
            shot = _copy(program, writers, copies / f"{len(shots)}.db")
            shots += [shot] if shot else []
        writers.stop()
        program.kill()
    assert writers.failed is None, f"a client was let down: {writers.failed!r}"
    return shots


def _copy(program: Program, writers: Writers, to: Path) -> _Shot | None:
    """Stop the program while its files are copied; None between two logs, when there is nothing to cut."""
    database = program.data_dir / _DATABASE
    program.process.send_signal(signal.SIGSTOP)
    try:
        _wait_until_stopped(program.process.pid)
        now = position_of(database)
        log = Path(f"{database}-wal").read_bytes()
        shutil.copyfile(database, to)
        acknowledged = writers.acknowledged()
    finally:
        program.process.send_signal(signal.SIGCONT)
    if now is None or now.salt != salt_of(log):
        return None
    return _Shot(to, log, now, acknowledged)


def _wait_until_stopped(pid: int) -> None:
    """Wait for every thread: one that writes to a disk stops when that is done."""
    deadline = time.monotonic() + _STOPS_WITHIN_S
    while any(_state(task) not in "Tt" for task in Path(f"/proc/{pid}/task").iterdir()):
        assert time.monotonic() < deadline, "it does not stop"
        time.sleep(0.001)


def _state(task: Path) -> str:
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


# Breaking it off --------------------------------------------------------------------------------------


async def _cut_all(
    shots: Sequence[_Shot], data_dir: Path, each: int, *, found: _Found, chance: random.Random
) -> None:
    for shot in [shot for shot in shots for _ in range(each)]:
        cut, tail = _place(shot, chance), chance.choice(list(TAILS))
        found.cuts += 1
        found.tails[tail] += 1
        where = f"cut at {cut} of {shot.position.end}, moved {shot.position.earliest_cut}, {tail}"
        with _broken_off(shot, TAILS[tail](shot.log, cut, chance)) as database:
            await _look_through(database, data_dir / "objects", where, found=found)
            _look_for_the_promised(shot, cut, _ids(database), found=found)


@contextmanager
def _broken_off(shot: _Shot, log: bytes) -> Iterator[Path]:
    """Lay the copy out with this log."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / _DATABASE
        shutil.copyfile(shot.file, database)
        Path(f"{database}-wal").write_bytes(log)
        yield database


def _place(shot: _Shot, chance: random.Random) -> int:
    """Choose any byte of the log, as often among its last commits, and what follows, as in all of it."""
    end = min(shot.position.end + _BEHIND_BYTES, len(shot.log))
    earliest = min(shot.position.earliest_cut, end)
    if chance.random() < 1 / 2:
        earliest = max(earliest, end - _LAST_BYTES)
    return chance.randint(earliest, end)


async def _look_through(database: Path, objects: Path, where: str, *, found: _Found) -> None:
    """Open it as the program does, and compare everything with everything."""
    try:
        async with (
            open_database(DatabaseSettings(url=f"sqlite:///{database}")) as opened,
            open_files(objects, sweep=False) as store,
        ):
            report = await check(opened, store, CheckLevel.SIZE)
    except GlimpserError as error:
        found.unopened += 1
        found.tell(f"{where}: {error.detail}")
        return
    found.rows += report.counts["artifacts"]
    for problem in report.problems:
        if problem.kind != "orphan":  # its row was in what broke off
            found.problems[problem.kind] += 1
            found.tell(f"{where}: {problem.kind} {problem.subject} {problem.detail}")


def _ids(database: Path) -> frozenset[str]:
    """Read them past the program, and have SQLite itself look for rows that name nothing."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return frozenset(
            str(row[0]) for table in _TABLES for row in connection.execute(f"SELECT id FROM {table}")
        )


def _look_for_the_promised(shot: _Shot, cut: int, ids: frozenset[str], *, found: _Found) -> None:
    for one in shot.acknowledged:
        is_there = one.id in ids
        if shot.is_promised(one, cut):
            found.promised += 1
            found.broken_promises += not is_there
        else:
            found.gone += not is_there


def _go_on_with_what_is_left(program: Program, found: _Found, chance: random.Random) -> None:
    """Break off the log of the killed program itself, start it, and look through what it makes of that."""
    database = program.data_dir / _DATABASE
    log = Path(f"{database}-wal")
    now = position_of(database)
    if now is not None and now.salt == salt_of(log.read_bytes()):
        cut = chance.randint(min(now.earliest_cut, now.end), now.end)
        log.write_bytes(TAILS["garbage"](log.read_bytes(), cut, chance))
    program.start()
    time.sleep(_SETTLES_S)
    program.terminate()
    told = run_command("fsck", "--level", "hash", "--json", "--data-dir", str(program.data_dir))
    problems = json.loads(told.stdout)["problems"] if told.stdout else [{"kind": told.stderr[-200:]}]
    found.after_restart += len(problems)
    for problem in problems:
        found.tell(f"after a start: {problem}")

"""Whether people wait while others sign in: argon2 is slow on purpose, and must be so for nobody else."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.figures import Figure, median
from tests.program import EMAIL, PASSWORD, Program, running

AT_ONCE = 20
ROUNDS = 5
REQUESTS = 400
AGAINST_IDLE = 2.0
SETTINGS = {
    "GLIMPSER_SERVER__TRUSTED_PROXIES": '["127.0.0.0/8"]',  # so that each sign-in has an address of its own
    "GLIMPSER_SECURITY__RATE_LIMITS__PRINCIPAL": "off",
    "GLIMPSER_SECURITY__RATE_LIMITS__ADDRESS": "off",
    "GLIMPSER_SECURITY__RATE_LIMITS__ADDRESS_WRITES": "off",
}


def figures(data_dir: Path) -> list[Figure]:
    """Ask the real program who one is, again and again: alone, and while twenty others sign in at once."""
    ratios, idle_ms, per_s = [], [], []
    with running(data_dir, SETTINGS) as program, program.set_up() as client:
        token = client.headers["Authorization"]
        _p99_s(program, token)
        for _ in range(ROUNDS):
            idle_s = _p99_s(program, token)
            with _signing_in(program) as done:
                began, before = time.perf_counter(), sum(done)
                busy_s = _p99_s(program, token)
                per_s.append((sum(done) - before) / (time.perf_counter() - began))
            assert min(done) > 0, "nobody signed in"
            ratios.append(busy_s / idle_s)
            idle_ms.append(1000 * idle_s)
    return [
        median("/api/me: p99, idle", idle_ms, "ms"),
        median(f"/api/me: p99 beside {AT_ONCE} sign-ins", ratios, "× idle", at_most=AGAINST_IDLE),
        median("sign-ins meanwhile", per_s, "/s"),
    ]


def _p99_s(program: Program, token: str) -> float:
    connection = _connect(program)
    took: list[float] = []
    for _ in range(REQUESTS):
        began_s = time.perf_counter()
        connection.request("GET", "/api/me", headers={"Authorization": token})
        answer = connection.getresponse()
        answer.read()
        took.append(time.perf_counter() - began_s)
        assert answer.status == 200
        time.sleep(0.002)
    connection.close()
    return sorted(took)[int(0.99 * REQUESTS)]


@contextmanager
def _signing_in(program: Program) -> Iterator[Sequence[int]]:
    """Keep so many sign-ins under way for the time of the context; gives how many each has done."""
    done, is_over = [0] * AT_ONCE, threading.Event()

    def sign_in(number: int) -> None:
        if sys.platform == "linux":
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # as if on another machine
        connection = _connect(program)
        body = json.dumps({"email": EMAIL, "password": PASSWORD})
        headers = {"Content-Type": "application/json", "X-Forwarded-For": f"192.0.2.{number + 1}"}
        while not is_over.is_set():
            connection.request("POST", "/api/auth/login", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            done[number] += 1
        connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = [threads.submit(sign_in, number) for number in range(AT_ONCE)]
        time.sleep(0.5)
        try:
            yield done
        finally:
            is_over.set()
    for run in runs:
        run.result()


def _connect(program: Program) -> HTTPConnection:
    return HTTPConnection(urlsplit(program.url).netloc, timeout=30)

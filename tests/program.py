"""The real program as a child process, as a person starts it, and its API as a client uses it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx2

EMAIL = "admin@example.org"
PASSWORD = "correct horse battery staple"  # of a data directory that lives as long as the test
OPEN_LOOPBACK: Mapping[str, str] = {"GLIMPSER_CAPTURE__CAMERA_CIDRS": '["127.0.0.0/8"]'}


class Program:
    """`glimpser up` on ports of the system's choosing."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str] = OPEN_LOOPBACK) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self._settings = dict(settings)
        self.url = ""
        self.setup_code: str | None = None

    def start(self, *, verify: bool = True) -> Self:
        """Start and wait for its first words. Its certificate is not to be verified if it made it itself."""
        began = time.monotonic()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command("up"), "--data-dir", str(self.data_dir), "--port", "0"],
                env=environment({"GLIMPSER_OBSERVABILITY__PORT": "0"} | self._settings),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._read_announcement(verify=verify)
        self.started_in_s = time.monotonic() - began
        return self

    def _read_announcement(self, *, verify: bool) -> None:
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        assert " runs at " in first, f"did not start: {first!r}, see {self.log}:\n{self.log.read_text()}"
        self.url = first.rsplit(" ", 1)[1].strip()
        self.process.stdout.readline()
        if self._needs_setup(verify=verify):
            self.setup_code = self.process.stdout.readline().rsplit(" ", 1)[1].strip()

    def _needs_setup(self, *, verify: bool) -> bool:
        try:
            with httpx2.Client(base_url=self.url, verify=verify) as client:
                return bool(client.get("/api/setup").json()["needed"])
        except httpx2.TransportError as error:
            told = "\n".join(self.log.read_text().splitlines()[-80:])
            raise AssertionError(f"no answer; status {self.process.poll()}; it said:\n{told}") from error

    def terminate(self, within_s: float = 12) -> int:
        """Ask it to end; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(within_s)

    def kill(self) -> None:
        self.process.kill()
        self.wait(5)

    def wait(self, within_s: float) -> int:
        """Wait until it has ended; gives its exit status."""
        assert self.process.stdout is not None
        status = self.process.wait(within_s)
        self.process.stdout.close()
        return status

    def children(self) -> list[int]:
        """Name its child processes."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def set_up(self) -> httpx2.Client:
        """Create the first admin; gives a client signed in as that."""
        body = {"code": self.setup_code, "email": EMAIL, "password": PASSWORD}
        with httpx2.Client(base_url=self.url) as client:
            assert client.post("/api/setup", json=body).status_code == 201
        return self.sign_in()

    def sign_in(self) -> httpx2.Client:
        answer = httpx2.post(f"{self.url}/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20)


@contextmanager
def running(data_dir: Path, settings: Mapping[str, str] = OPEN_LOOPBACK) -> Iterator[Program]:
    """Run the program for the time of the context."""
    program = Program(data_dir, settings).start()
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.kill()


def glimpser(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "glimpser", *arguments]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give the tester's environment without settings of their own program."""
    return {name: text for name, text in os.environ.items() if not name.startswith("GLIMPSER_")} | dict(
        settings
    )


def wait_for(condition: Callable[[], Any], *, within_s: float = 20, what: str = "") -> Any:
    """Ask until the answer is true, and give it."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {what or condition}"
        time.sleep(0.05)
    return answer


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

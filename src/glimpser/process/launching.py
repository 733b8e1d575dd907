"""Starting a program under its supervisor: what the runner and blocking callers have in common."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from glimpser.core.errors import Misconfigured, Unavailable
from glimpser.process import supervise
from glimpser.process.command import Command

_MAX_REAP_S = 1.0
_NO_LIMIT = -1
PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where programs look for programs."""


def find_program(name: str) -> str | None:
    """Give the whole path of an installed program; None: it is not installed."""
    return shutil.which(name, path=PATH)


class Launched:
    """A program under its supervisor. It ends when this is closed, and when this process ends.

    `process` is the supervisor's; its pipes are the program's. `control` tells what becomes of it.
    """

    def __init__(self, command: Command, *, stdin: int, stdout: int, stderr: int, scratch: Path) -> None:
        """Start it; streams as for `subprocess.Popen`, a home of its own is made below `scratch`.

        Raises:
            Unavailable: there can be no more processes or files now.
        """
        self.command = command
        self._home: Path | None = None
        self.control, theirs = socket.socketpair()
        try:
            home = command.home or self._own_home(scratch)
            self.process = subprocess.Popen(  # noqa: S603  # our own program with our own arguments
                _supervised(command, theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=_environment(command.environment, home),
                cwd=home,
                start_new_session=True,
            )
        except OSError as error:
            self.control.close()
            self.remove_home()
            raise Unavailable(f"{command.name} cannot be started now: {error.strerror}.") from error
        finally:
            theirs.close()

    def ask_to_end(self) -> None:
        """Have it asked to end, and ended by force after its grace."""
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Ask it to end, wait until it has, and reap it. Blocks for its grace and a second at most."""
        self.ask_to_end()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(self.command.grace_s + _MAX_REAP_S)
        self.bury()
        self.remove_home()

    def bury(self) -> None:
        """Reap the supervisor, which has ended or is to be killed now."""
        self.control.close()
        try:
            self.process.wait(_MAX_REAP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):  # it hangs in the kernel, on a dead disk perhaps
                self.process.wait(_MAX_REAP_S)

    def remove_home(self) -> None:
        """Remove the home that was made for it, if one was. Blocks."""
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)

    def _own_home(self, scratch: Path) -> Path:
        self._home = Path(tempfile.mkdtemp(prefix=f"{self.command.name}-", dir=scratch))
        return self._home


class Story:
    """What a supervisor tells over its control socket, line by line as bytes come.

    `status` is set once the program ended and nothing of it is left.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._rest = b""
        self.pid: int | None = None
        self.status: int | None = None

    def hear(self, data: bytes) -> None:
        """Take bytes in.

        Raises:
            Misconfigured: the program cannot be run on this machine.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, _, number = line.decode().partition(" ")
            match word:
                case "started":
                    self.pid = int(number)
                case "ended":
                    self.status = int(number)
                case _:
                    raise Misconfigured(f"{self._name} cannot be run: {os.strerror(int(number))}.")


def _supervised(command: Command, control_fd: int) -> list[str]:
    limits = command.limits
    numbers = [limits.memory_bytes, limits.file_size_bytes, limits.open_files, limits.cpu_s]
    return [
        *(sys.executable, "-I", "-S", supervise.__file__),
        *(str(control_fd), str(round(command.grace_s * 1000)), str(command.niceness)),
        *(str(_NO_LIMIT if number is None else number) for number in numbers),
        *command.words,
    ]


def _environment(named: Mapping[str, str], home: Path) -> dict[str, str]:
    basis = {"PATH": PATH, "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    return basis | dict(named)

r"""A program of its own that runs another and leaves nothing of it behind.

    python -I -S supervise.py CONTROL_FD GRACE_MS NICENESS MEMORY FILE_SIZE OPEN_FILES CPU_S \
        PROGRAM [ARGUMENT…]

It is the sub-reaper (prctl(2)) of all that the program starts: whatever forks away, into whatever session,
becomes a child of this process when its own parent ends. So the end is certain: as long as there is a child
it is killed, and when there is none (ECHILD) nothing is left. Only children are ever signalled, and only
here are they reaped, so that no number of a process can mean another one.

Over CONTROL_FD, a stream socket, it tells `started PID` or `failed ERRNO`, and at the end `ended STATUS`.
When the other side closes, for which being killed is enough, the program is asked to end (SIGTERM to its
group) and killed GRACE_MS later. A limit of -1 is none.

It is run by its path and imports nothing of this package, so that starting it costs little.
"""

import ctypes
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CANNOT_RUN = 126
_KILL_INTERVAL_S = 0.02


def main() -> None:
    control_fd, grace_ms, *numbers = map(int, sys.argv[1:8])
    control = socket.socket(fileno=control_fd)
    control.set_inheritable(False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake_fd = _wake_on_signals()
    try:
        pid = _start(sys.argv[8:], numbers)
    except OSError as error:
        _tell(control, f"failed {error.errno}")
        return
    _tell(control, f"started {pid}")
    _let_go_of_its_streams()
    status = _wait(pid, control, wake_fd, grace_s=grace_ms / 1000)
    _tell(control, f"ended {status}")
    os._exit(0)  # at once, so that who sees the socket close can reap without waiting


def _wake_on_signals() -> int:
    """Have SIGCHLD, and requests to end, be readable from the file descriptor this gives."""
    read_fd, write_fd = os.pipe()
    os.set_blocking(read_fd, False)
    os.set_blocking(write_fd, False)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return read_fd


def _start(argv: list[str], numbers: Sequence[int]) -> int:
    """Give the pid of the program once it runs; `numbers` are its niceness and its limits.

    Raises:
        OSError: it cannot be run.
    """
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(argv, numbers, write_fd)
    os.close(write_fd)
    with os.fdopen(read_fd, "rb") as failure:
        trouble = failure.read()  # ends when exec closes the other side
    if trouble:
        os.waitpid(pid, 0)
        raise OSError(int(trouble), "cannot run it")
    return pid


def _become(argv: list[str], numbers: Sequence[int], failure_fd: int) -> None:
    """Turn this fork into the program; never returns."""
    try:
        os.setsid()
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # should the supervisor be killed itself
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        niceness, *limits = numbers
        os.nice(niceness)
        _limit(limits)
        os.umask(0o077)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
            signal.signal(number, signal.SIG_DFL)
        os.execv(argv[0], argv)  # noqa: S606  # to run a program without a shell is its purpose
    except OSError as error:
        os.write(failure_fd, b"%d" % (error.errno or 0))
    finally:
        os._exit(_CANNOT_RUN)


def _limit(limits: Sequence[int]) -> None:
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)
    for kind, limit in ((resource.RLIMIT_CORE, 0), *zip(kinds, limits, strict=True)):
        if limit < 0:
            continue
        _, most = resource.getrlimit(kind)
        allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(kind, (allowed, allowed))


def _let_go_of_its_streams() -> None:
    """Its readers are to see the end of its streams when the program and its children close them."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _wait(pid: int, control: socket.socket, wake_fd: int, *, grace_s: float) -> int:
    """Give the program's status when it and all it started are gone."""
    status = _until_ended(pid, wake_fd, control, deadline=None)
    if status is None:
        os.killpg(pid, signal.SIGTERM)
        os.killpg(pid, signal.SIGCONT)  # who is stopped would not hear it
        status = _until_ended(pid, wake_fd, None, deadline=time.monotonic() + grace_s)
    if status is None:
        os.killpg(pid, signal.SIGKILL)
    killed = _kill_children(pid, wake_fd)
    return killed if status is None else status


def _until_ended(
    pid: int, wake_fd: int, control: socket.socket | None, *, deadline: float | None
) -> int | None:
    """Give the program's status; None: the other side of `control` closed, or it took too long."""
    poller = select.poll()
    poller.register(wake_fd, select.POLLIN)
    if control is not None:
        poller.register(control, select.POLLIN)
    while True:
        status = _reap(pid)
        if status is not None:
            return status
        left_ms = None if deadline is None else (deadline - time.monotonic()) * 1000
        if left_ms is not None and left_ms <= 0:
            return None
        ready = dict(poller.poll(left_ms))
        told_to_end = _drained(wake_fd) if wake_fd in ready else False
        if control is not None and (told_to_end or control.fileno() in ready):
            return _reap(pid)


def _drained(wake_fd: int) -> bool:
    """Take the signals that came; true when one of them asks to end."""
    try:
        return any(number != signal.SIGCHLD for number in os.read(wake_fd, 4096))
    except BlockingIOError:
        return False


def _reap(pid: int) -> int | None:
    """Reap who has ended; gives the status of `pid` if it is among them."""
    status = None
    while True:
        try:
            ended, how = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if ended == 0:
            return status
        if ended == pid:
            status = os.waitstatus_to_exitcode(how)


def _kill_children(pid: int, wake_fd: int) -> int:
    """Kill and reap until there is no child; the children of those killed become ours, and are next."""
    status = 0
    while True:
        found = _reap(pid)
        status = found if found is not None else status
        children = _children()
        if not children and _childless():
            return status
        for child in children:
            os.kill(child, signal.SIGKILL)
        select.select([wake_fd], [], [], _KILL_INTERVAL_S)
        _drained(wake_fd)


def _childless() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _children() -> list[int]:
    """Name our children. None of these numbers can be another process's: nobody but us reaps them."""
    us = os.getpid()
    with os.scandir("/proc") as entries:
        return [
            int(entry.name) for entry in entries if entry.name.isdecimal() and _parent_of(entry.name) == us
        ]


def _parent_of(pid: str) -> int | None:
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None  # it ended while we looked
    try:
        stat = os.read(descriptor, 4096)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    # The name, in parentheses, may hold anything; state and parent follow the last one (proc(5)).
    return int(stat[stat.rindex(b")") + 2 :].split()[1])


def _tell(control: socket.socket, line: str) -> None:
    with suppress(OSError):  # nobody listens any more
        control.sendall(f"{line}\n".encode())


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    main()

"""How much more than the kernel's share it costs to show one stream to many viewers.

A C program that does nothing but `send()` the same bytes at the same rate is the limit; the server is
measured beside it in the same run, with pictures made in its process and pictures that come from a child as
from an ingest worker, with both ways of writing. Compare figures of one run only: absolute times mean nothing
on a machine that does other things. Without a C compiler, loops in Python stand in, and the table says so.

    python tests/bench/mjpeg.py [SECONDS]
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

PICTURE_BYTES = 60 * 1024
FPS = 10
SEND_BUFFER_BYTES = 128 << 10
VIEWERS = (1, 50, 200)
ROUNDS = 3
LEAST_RATE = 0.9
WARM_UP_S = 1.0
LIMIT = "send loop"
VARIANTS = ("plain, made here", "fast, made here", "plain, from a child", "fast, from a child")

_HERE = Path(__file__).parent
_HEADER = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One server under one load.

    Attributes:
        cpu_us: processor time of the server process for one picture to one viewer, in microseconds.
        rate: pictures that the worst served viewer got, as a part of those published.
        ratio: `cpu_us` divided by that of the send loop just before and after; 1 for itself.
    """

    server: str
    viewers: int
    cpu_us: float
    rate: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Results:
    """`measurements` hold the medians of all rounds. `in_c` says whether the limit was the C program."""

    measurements: tuple[Measurement, ...]
    in_c: bool

    def ratio(self, server: str, viewers: int) -> float:
        return next(m.ratio for m in self.measurements if (m.server, m.viewers) == (server, viewers))

    @property
    def steady(self) -> bool:
        """Whether every viewer got at least `LEAST_RATE` of the pictures."""
        return all(m.rate >= LEAST_RATE for m in self.measurements)

    def as_dict(self) -> dict[str, object]:
        return {
            "in_c": self.in_c,
            "steady": self.steady,
            "measurements": [asdict(m) for m in self.measurements],
        }

    def table(self) -> str:
        lines = [f"{'server':<22}{'viewers':>8}{'µs/picture':>12}{'worst rate':>12}{'× limit':>9}"]
        lines += [
            f"{m.server:<22}{m.viewers:>8}{m.cpu_us:>12.1f}{m.rate:>12.0%}{m.ratio:>9.2f}"
            for m in self.measurements
        ]
        if not self.in_c:
            lines.append(
                "There is no C compiler: the limit is a loop in Python, and ratios flatter the server."
            )
        return "\n".join(lines)


def run(seconds: float = 5.0) -> Results:
    """Measure each variant for `seconds` in each of `ROUNDS` rounds, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        tools = _Tools.build(Path(folder))
        rounds = [_measure_round(tools, viewers, seconds) for viewers in VIEWERS for _ in range(ROUNDS)]
    found = [measurement for measurements in rounds for measurement in measurements]
    results = Results(
        tuple(_median(found, server, viewers) for viewers in VIEWERS for server in (LIMIT, *VARIANTS)),
        tools.in_c,
    )
    print(results.table())  # noqa: T201  # a table on the terminal is what this program is for
    return results


def _median(found: list[Measurement], server: str, viewers: int) -> Measurement:
    same = [m for m in found if (m.server, m.viewers) == (server, viewers)]
    return Measurement(
        server,
        viewers,
        cpu_us=statistics.median(m.cpu_us for m in same),
        rate=min(m.rate for m in same),
        ratio=statistics.median(m.ratio for m in same),
    )


def _measure_round(tools: "_Tools", viewers: int, seconds: float) -> list[Measurement]:
    """Measure each variant between two runs of the limit, because the machine's mood changes in between."""
    limits = [_measure(tools, LIMIT, viewers, seconds)]
    found = []
    for server in VARIANTS:
        cpu_us, rate = _measure(tools, server, viewers, seconds)
        limits.append(_measure(tools, LIMIT, viewers, seconds))
        limit_us = (limits[-2][0] + limits[-1][0]) / 2
        found.append(Measurement(server, viewers, cpu_us, rate, cpu_us / limit_us))
    limit_us = statistics.median(cpu_us for cpu_us, _ in limits)
    return [Measurement(LIMIT, viewers, limit_us, min(rate for _, rate in limits), 1.0), *found]


def _measure(tools: "_Tools", server: str, viewers: int, seconds: float) -> tuple[float, float]:
    with _started(tools.server(server)) as serving:
        port = int(_line(serving))
        arguments = [str(port), str(viewers), str(WARM_UP_S), str(seconds)]
        with _started([*tools.viewers, *arguments]) as watching:
            assert _line(watching) == "begin"
            before_s = _cpu_s(serving.pid)
            _, took_s, total, least, closed = _line(watching).split()
            used_s = _cpu_s(serving.pid) - before_s
    assert closed == "0", f"the server closed {closed} connections"
    pictures = int(total) / PICTURE_BYTES
    return used_s / pictures * 1e6, int(least) / PICTURE_BYTES / (float(took_s) * FPS)


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(process: "subprocess.Popen[str]") -> str:
    output: IO[str] | None = process.stdout
    assert output is not None
    line = output.readline().strip()
    assert line, f"{process.args!r} said nothing"
    return line


def _cpu_s(pid: int) -> float:
    """Processor time of all threads so far: to the nanosecond where the kernel counts so, else to 10 ms."""
    try:
        tasks = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        tasks = []
    if tasks:
        return sum(int(fields[0]) for fields in tasks) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class _Tools:
    """Commands that start the limit and the viewers."""

    limit: list[str]
    viewers: list[str]
    in_c: bool

    @classmethod
    def build(cls, folder: Path) -> "_Tools":
        compiler = shutil.which("cc")
        if compiler is None:
            return cls([*_myself(), "limit"], [*_myself(), "viewers"], in_c=False)
        for name in ("mjpeg_limit", "mjpeg_viewers"):
            subprocess.run([compiler, "-O2", "-o", folder / name, _HERE / f"{name}.c"], check=True)
        limit = [PICTURE_BYTES, FPS, SEND_BUFFER_BYTES]
        return cls(
            [str(folder / "mjpeg_limit"), *map(str, limit)], [str(folder / "mjpeg_viewers")], in_c=True
        )

    def server(self, name: str) -> list[str]:
        if name == LIMIT:
            return self.limit
        way, _, source = name.partition(", ")
        return [*_myself(), "serve", way, "child" if source == "from a child" else "here"]


def _myself() -> list[str]:
    return [sys.executable, __file__]


# --- the server that is measured, in a process of its own


def serve(way: str, source: str) -> None:
    """Serve one stream on a free port of loopback and print the port."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(fast=way == "fast", from_child=source == "child"))


async def _serve(*, fast: bool, from_child: bool) -> None:
    import uvicorn
    from starlette.types import Receive, Scope, Send

    from glimpser.core.clock import SystemClock
    from glimpser.core.ids import TemplateId
    from glimpser.streaming import fast_write
    from glimpser.streaming.hub import Hub
    from glimpser.streaming.mjpeg import MjpegResponse

    assert not fast or await fast_write.available()
    camera = TemplateId("camera")
    hub = Hub(clock=SystemClock(), metrics=_NoMetrics())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        subscription = hub.subscribe(camera, client=str(scope["client"][1]))
        await MjpegResponse(subscription, still_allowed=_always, fast=fast)(scope, receive, send)

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    config = uvicorn.Config(
        app, interface="asgi3", http="httptools", lifespan="off", log_config=None, access_log=False
    )
    publish = _publisher(hub, camera)
    with _child_pictures(publish) if from_child else contextlib.nullcontext():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(hub.run())
            if not from_child:
                tasks.create_task(_make_pictures(publish))
            print(listener.getsockname()[1], flush=True)  # noqa: T201  # the port goes to the parent
            await uvicorn.Server(config).serve(sockets=[listener])


class _NoMetrics:
    def subscribers_changed(self, template_id: object, count: int) -> None:
        pass

    def frame_dropped(self, template_id: object, consumer: str) -> None:
        pass


async def _always() -> bool:
    return True


def _publisher(hub: object, camera: object) -> Callable[[bytes], None]:
    from glimpser.core.clock import SystemClock
    from glimpser.core.frames import Frame
    from glimpser.core.ids import TemplateId
    from glimpser.streaming.hub import Hub

    assert isinstance(hub, Hub)
    clock = SystemClock()
    sequence = 0

    def publish(jpeg: bytes) -> None:
        nonlocal sequence
        sequence += 1
        hub.publish(Frame(TemplateId(str(camera)), sequence, clock.now(), jpeg, 1280, 720))

    return publish


def _jpeg_size() -> int:
    """Size of a picture whose part has `PICTURE_BYTES`, so that everyone sends the same."""
    from glimpser.core.clock import SystemClock
    from glimpser.core.frames import Frame
    from glimpser.core.ids import TemplateId
    from glimpser.streaming.mjpeg import chunked_part

    size = PICTURE_BYTES - 100
    framed = chunked_part(Frame(TemplateId("camera"), 0, SystemClock().now(), bytes(size), 1280, 720))
    return size + PICTURE_BYTES - len(framed)


async def _make_pictures(publish: Callable[[bytes], None]) -> None:
    loop = asyncio.get_running_loop()
    base, due = bytes(_jpeg_size() - 1), loop.time()
    while True:
        due += 1 / FPS
        await asyncio.sleep(max(0.0, due - loop.time()))
        publish(base + b"x")  # new bytes each time, as an encoder gives them


@contextlib.contextmanager
def _child_pictures(publish: Callable[[bytes], None]) -> Iterator[None]:
    """Start a child that sends pictures over a socketpair, and publish each when it is complete."""
    ours, theirs = socket.socketpair()
    command = [*_myself(), "pictures", str(theirs.fileno()), str(_jpeg_size())]
    child = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
    theirs.close()
    ours.setblocking(False)
    pending = bytearray()

    def readable() -> None:
        pending.extend(ours.recv(1 << 17))
        while len(pending) >= _HEADER.size:
            end = _HEADER.size + _HEADER.unpack_from(pending)[0]
            if len(pending) < end:
                return
            publish(bytes(memoryview(pending)[_HEADER.size : end]))
            del pending[:end]

    loop = asyncio.get_running_loop()
    loop.add_reader(ours, readable)
    try:
        yield
    finally:
        loop.remove_reader(ours)
        ours.close()
        child.kill()
        child.wait()


def send_pictures(descriptor: int, size: int) -> None:
    """The child: send a picture `FPS` times a second until the socket closes."""
    message = _HEADER.pack(size) + bytes(size)
    with socket.socket(fileno=descriptor) as link, contextlib.suppress(OSError):
        due = time.monotonic()
        while True:
            due += 1 / FPS
            time.sleep(max(0.0, due - time.monotonic()))
            link.sendall(message)


# --- stand-ins for the C programs


def python_limit() -> None:
    """Send the same bytes to everyone, from one loop over non-blocking sockets."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    print(listener.getsockname()[1], flush=True)  # noqa: T201  # the port goes to the parent
    part = memoryview(bytes(PICTURE_BYTES))
    left: dict[socket.socket, int] = {}
    due = time.monotonic()
    while True:
        due += 1 / FPS
        while (wait_s := due - time.monotonic()) > 0:
            listener.settimeout(wait_s)
            with contextlib.suppress(OSError):
                client, _ = listener.accept()
                client.recv(4096)
                client.setblocking(False)
                left[client] = 0
        for client, rest in left.items():
            wanted = rest or PICTURE_BYTES
            with contextlib.suppress(OSError):
                left[client] = wanted - client.send(part[PICTURE_BYTES - wanted :])


def python_viewers(port: int, viewers: int, warm_up_s: float, window_s: float) -> None:
    """Read and discard, as `mjpeg_viewers.c` does."""
    import selectors

    selector = selectors.DefaultSelector()
    received: dict[socket.socket, int] = {}
    for _ in range(viewers):
        client = socket.create_connection(("127.0.0.1", port))
        client.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ)
    buffer = bytearray(1 << 20)

    def read_for(seconds: float) -> float:
        start = time.monotonic()
        while (took_s := time.monotonic() - start) < seconds:
            for key, _ in selector.select(0.02):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                with contextlib.suppress(BlockingIOError):
                    received[client] = received.get(client, 0) + client.recv_into(buffer)
        return took_s

    read_for(warm_up_s)
    print("begin", flush=True)  # noqa: T201  # read by the parent
    received.clear()
    took_s = read_for(window_s)
    least = min(received.values()) if len(received) == viewers else 0
    print("end", took_s, sum(received.values()), least, 0)  # noqa: T201  # read by the parent


def _main() -> None:
    parser = argparse.ArgumentParser(description="MJPEG fan-out against a loop of send()")
    parser.add_argument("what", nargs="?", default="5")
    parser.add_argument("rest", nargs="*")
    arguments = parser.parse_args()
    match arguments.what, arguments.rest:
        case "serve", [way, source]:
            serve(way, source)
        case "pictures", [descriptor, size]:
            send_pictures(int(descriptor), int(size))
        case "limit", []:
            python_limit()
        case "viewers", [port, viewers, warm_up_s, window_s]:
            python_viewers(int(port), int(viewers), float(warm_up_s), float(window_s))
        case seconds, []:
            print(json.dumps(run(float(seconds)).as_dict(), indent=2))  # noqa: T201  # the program's result


if __name__ == "__main__":
    _main()

import hashlib
import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Self

import av
import pytest

from glimpser.core.errors import Unavailable
from glimpser.streaming.rtsp import Lower
from glimpser.testing.camera import FakeCamera
from glimpser.testing.clips import make_clip

LOGIN = ("ann", "p@ss:w/rd")
FRAMES = 20
PROGRAM = (sys.executable, "-m", "glimpser.testing.camera")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    make_clip(path, seconds=FRAMES / 20, width=640, height=360, fps=20, gop=5, motion=[(0.3, 0.9)])
    return path


@pytest.fixture(scope="module")
def camera(clip: Path) -> Iterator[FakeCamera]:
    """A camera that no test changes."""
    with FakeCamera(clip, login=LOGIN) as running:
        yield running


@pytest.fixture
def own_camera(clip: Path) -> Iterator[FakeCamera]:
    with FakeCamera(clip) as running:
        yield running


class Watcher:
    """Reads a camera in a thread of its own, and keeps the digest of each picture."""

    def __init__(self, url: str, *, transport: str = "tcp") -> None:
        self._url = url
        self._options = {"rtsp_transport": transport, "fpsprobesize": "0", "analyzeduration": "1"}
        self._seen: queue.Queue[tuple[str, int] | None] = queue.Queue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def next(self, *, within_s: float = 10.0) -> tuple[str, int] | None:
        """Give digest and timestamp of the next picture, None when the stream has ended."""
        return self._seen.get(timeout=within_s)

    def pictures(self, count: int) -> list[tuple[str, int]]:
        seen = [self.next() for _ in range(count)]
        return [picture for picture in seen if picture is not None]

    def quiet(self, *, for_s: float) -> bool:
        """Say whether nothing at all comes, after what is on its way has come."""
        try:
            while True:
                self.next(within_s=for_s)
        except queue.Empty:
            return True

    def _read(self) -> None:
        try:
            with av.open(self._url, options=self._options, timeout=(10, 3)) as container:
                for frame in container.decode(video=0):
                    if self._stopped.is_set():
                        break
                    self._seen.put((digest(frame), frame.pts or 0))
        except (av.FFmpegError, OSError):
            pass
        finally:
            self._seen.put(None)


def digest(frame: av.VideoFrame) -> str:
    return hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()


def digests_of(clip: Path) -> list[str]:
    with av.open(str(clip)) as container:
        return [digest(frame) for frame in container.decode(video=0)]


def refuses(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def refuses_soon(port: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if refuses(port):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_pictures_arrive_bit_by_bit_as_they_are_in_the_clip_with_steady_times_across_the_seam(
    camera: FakeCamera, clip: Path, transport: str
) -> None:
    with Watcher(camera.url, transport=transport) as watcher:
        seen = watcher.pictures(FRAMES + 6)

    original = digests_of(clip)
    start = original.index(seen[0][0])
    assert [picture for picture, _ in seen] == [original[(start + n) % FRAMES] for n in range(len(seen))]
    steps = [later - earlier for (_, earlier), (_, later) in pairwise(seen)]
    assert all(abs(step - 4_500) <= 1 for step in steps)


@pytest.mark.parametrize("login", [None, ("ann", "wrong"), ("eve", LOGIN[1])])
def test_a_wrong_login_gets_401(camera: FakeCamera, login: tuple[str, str] | None) -> None:
    with pytest.raises(av.HTTPUnauthorizedError):
        av.open(camera.url_as(login), timeout=5)


def test_another_path_is_not_found(own_camera: FakeCamera) -> None:
    with pytest.raises(av.HTTPNotFoundError):
        av.open(own_camera.url + "/../../etc/passwd", timeout=5)


def test_two_clients_see_the_same_at_once(camera: FakeCamera) -> None:
    with Watcher(camera.url) as one, Watcher(camera.url, transport="udp") as other:
        first, second = one.pictures(12), other.pictures(12)

    assert len({picture for picture, _ in first} & {picture for picture, _ in second}) >= 5


def test_a_frozen_camera_is_silent_on_open_connections_and_goes_on_when_thawed(
    own_camera: FakeCamera, clip: Path
) -> None:
    with Watcher(own_camera.url) as watcher:
        watcher.pictures(5)
        own_camera.freeze()
        quiet = watcher.quiet(for_s=0.4)

        own_camera.thaw()
        after = watcher.pictures(5)

    original = digests_of(clip)
    start = original.index(after[0][0])
    assert quiet
    assert [picture for picture, _ in after] == [original[(start + n) % FRAMES] for n in range(5)]


def test_a_camera_switched_off_ends_its_sessions_and_refuses_until_it_is_on(
    own_camera: FakeCamera,
) -> None:
    with Watcher(own_camera.url) as watcher:
        watcher.pictures(2)
        own_camera.off()
        while watcher.next() is not None:
            pass
    refused = refuses(own_camera.port)

    own_camera.on()

    with Watcher(own_camera.url) as watcher:
        assert len(watcher.pictures(2)) == 2
    assert refused


def test_a_killed_camera_refuses_and_comes_back_on_the_same_port(own_camera: FakeCamera) -> None:
    url = own_camera.url
    own_camera.kill()
    refused = refuses(own_camera.port)

    own_camera.restart()

    with Watcher(url) as watcher:
        assert len(watcher.pictures(2)) == 2
    assert refused


@pytest.mark.parametrize(("offered", "asked"), [(Lower.TCP, "udp"), (Lower.UDP, "tcp")])
def test_a_transport_that_is_not_offered_is_refused(clip: Path, offered: Lower, asked: str) -> None:
    with FakeCamera(clip, transports=[offered]) as camera:
        with pytest.raises(av.FFmpegError):
            av.open(camera.url, options={"rtsp_transport": asked}, timeout=5)

        with Watcher(camera.url, transport=str(offered)) as watcher:
            assert len(watcher.pictures(1)) == 1


def test_garbage_does_not_disturb_who_is_watching(camera: FakeCamera) -> None:
    garbage = [
        b"\x00\xff" * 2_000,
        b"SETUP rtsp://h/cam RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"$\xff\xff\xff",
        b"A" * 50_000,
    ]
    with Watcher(camera.url) as watcher:
        watcher.pictures(2)
        for data in garbage:
            with closing(socket.create_connection(("127.0.0.1", camera.port))) as client:
                client.sendall(data)

        times = [pts for _, pts in watcher.pictures(8)]

    assert all(abs(later - earlier - 4_500) <= 1 for earlier, later in pairwise(times))


def test_an_unknown_command_is_answered_and_harmless(own_camera: FakeCamera) -> None:
    with pytest.raises(Unavailable, match="unknown command"):
        own_camera._ask("explode")

    own_camera.thaw()


def test_a_clip_that_is_none_is_told_at_the_start(tmp_path: Path) -> None:
    camera = FakeCamera(tmp_path / "missing.mp4")

    with pytest.raises(Unavailable, match="has ended"):
        camera.__enter__()

    assert camera.pid is None


def test_a_camera_ends_when_its_input_closes(clip: Path) -> None:
    with subprocess.Popen([*PROGRAM, str(clip)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]

        process.stdin.close()

        assert process.wait(5) == 0
        assert refuses(port)


def test_a_camera_ends_with_its_parent_though_its_input_stays_open(clip: Path) -> None:
    starter = "import os, subprocess, sys\nsubprocess.run([*sys.argv[1:], '--parent', str(os.getpid())])\n"
    command = [sys.executable, "-c", starter, *PROGRAM, str(clip)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        port = json.loads(parent.stdout.readline())["port"]

        parent.kill()

        assert refuses_soon(port)

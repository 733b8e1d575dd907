"""A view of every kind, each of a real server on loopback that can be broken and mended."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice
from pathlib import Path
from time import sleep
from typing import Any

import httpx2
import numpy as np
import simplejpeg

from glimpser.testing.clips import make_clip
from tests.documents import a_pdf
from tests.unit.capture.web_camera import Body, WebCamera, Write, page, web_camera
from tests.video_site import video_site

HERE, ELSEWHERE = "127.0.0.2", "127.0.0.3"
BLUE = (0, 0, 255)
_LOGIN = ("ann", "p@ss:w/rd")
_FPS = 10

Act = Callable[[], object]
Tick = Callable[[httpx2.Client, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A way to break what is watched, the verdict it must lead to, and words of its reason."""

    does: Act
    mend: Act
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A view and its troubles. `tick` is called again and again; `size` and `colour` are the picture's."""

    kind: str
    config: Mapping[str, Any]
    troubles: Mapping[str, Trouble]
    size: tuple[int, int]
    colour: tuple[int, int, int] | None = None
    tick: Tick | None = None


class Server:
    """A web server that can be killed and started again at the same address."""

    def __init__(
        self,
        pages: Mapping[str, bytes | Body],
        stack: ExitStack,
        open_at: Callable[..., AbstractContextManager[WebCamera]] = web_camera,
    ) -> None:
        self._open_at = open_at
        self._running = ExitStack()
        self.camera = self._running.enter_context(open_at(pages))
        stack.callback(self.kill)

    def url(self, path: str) -> str:
        return self.camera.url(path)

    def kill(self) -> None:
        self._running.close()

    def restart(self) -> None:
        now = self._open_at(self.camera.pages, port=self.camera.port)
        self.camera = self._running.enter_context(now)

    def killed(self, state: str = "down", reason: str = "") -> Trouble:
        return Trouble(does=self.kill, mend=self.restart, state=state, reason=reason)

    def answers(self, path: str, answer: bytes, *, state: str, reason: str) -> Trouble:
        """Break it by another answer for a path."""
        good = self.camera.pages[path]

        def put(given: bytes | Body) -> None:
            self.camera.pages[path] = given  # of the server that runs now

        return Trouble(does=lambda: put(answer), mend=lambda: put(good), state=state, reason=reason)

    def locked(self) -> Trouble:
        """Break it by another password."""
        return Trouble(
            does=lambda: setattr(self.camera, "login", ("ann", "another")),
            mend=lambda: setattr(self.camera, "login", _LOGIN),
            state="blocked",
            reason="401",
        )


@contextmanager
def every_kind(folder: Path) -> Iterator[dict[str, Watched]]:
    """Serve one of each while the context is open; `folder` is for files, and one of the allowed roots."""
    with ExitStack() as stack:
        yield {
            "page with banner and video": _page_with_video(stack),
            "page behind a login": _page_behind_login(stack),
            "still camera with digest": _still_camera(stack),
            "document": _document(stack),
            "HLS": _hls(stack, folder / "hls"),
            "Motion JPEG": _motion_jpeg(stack),
            "video site": _video_site(stack, folder / "clip.mp4"),
            "pictures that are sent": _pushed(),
            "folder": _folder(folder / "pictures"),
        }


def _page_with_video(stack: ExitStack) -> Watched:
    video = "<body style='margin:0'><video style='width:320px;height:180px;background:blue'></video>"
    player = Server({"/": _html(video)}, stack, partial(web_camera, host=ELSEWHERE))
    banner = "<div class=banner style='position:fixed;inset:0;background:red'>We value your cookies</div>"
    frame = f"<iframe id=player src='{player.url('/')}' width=400 height=300></iframe>"
    site = Server({"/": _html(banner + frame)}, stack)
    config = {
        "url": site.url("/"),
        "frame": "#player",
        "selector": "video",
        "remove": [".banner"],
        "interval_s": 5,
        "timeout_s": 5,
    }
    broken = b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nOops"
    troubles = {
        "error page": site.answers("/", broken, state="error_page", reason="500"),
        "killed": site.killed(reason=""),
        "video gone": player.answers("/", _html("No video today"), state="down", reason="video"),
    }
    return Watched(kind="website", config=config, troubles=troubles, size=(320, 180), colour=BLUE)


def _page_behind_login(stack: ExitStack) -> Watched:
    welcome = _html("<body style='margin:0;background:blue'><h1>Welcome</h1><p>The river stands at 2.31 m.")
    opening = partial(web_camera, login=_LOGIN, scheme="Basic")
    site = Server({"/": welcome}, stack, opening)
    config = {
        "url": site.url("/"),
        "username": _LOGIN[0],
        "password": _LOGIN[1],
        "interval_s": 5,
        "width": 640,
        "height": 360,
    }
    troubles = {
        "401": site.locked(),
        "blank": site.answers("/", _html(""), state="blank", reason="The page is empty"),
    }
    return Watched(kind="website", config=config, troubles=troubles, size=(640, 360))


def _still_camera(stack: ExitStack) -> Watched:
    camera = Server({"/still.jpg": page(_noise(1), "image/jpeg")}, stack, partial(web_camera, login=_LOGIN))
    login = {"username": _LOGIN[0], "password": _LOGIN[1]}
    config = {"url": camera.url("/still.jpg"), "interval_s": 1, **login}
    html = page(b"<h1>Maintenance</h1>", "text/html")
    troubles = {
        "401": camera.locked(),
        "blank": camera.answers(
            "/still.jpg", page(_grey(), "image/jpeg"), state="blank", reason="one colour"
        ),
        "no picture": camera.answers("/still.jpg", html, state="error_page", reason=""),
    }
    return Watched(kind="image", config=config, troubles=troubles, size=(320, 180))


def _document(stack: ExitStack) -> Watched:
    site = Server({"/plan.pdf": page(a_pdf("one", "two"), "application/pdf")}, stack)
    config = {"url": site.url("/plan.pdf"), "page": 2, "width": 400, "interval_s": 10}
    cut = page(a_pdf("one", "two")[:60], "application/pdf")
    troubles = {
        "killed": site.killed(),
        "broken": site.answers("/plan.pdf", cut, state="error_page", reason="broken"),
    }
    return Watched(kind="pdf", config=config, troubles=troubles, size=(400, 200))


def _motion_jpeg(stack: ExitStack) -> Watched:
    mood = Mood()
    camera = Server({"/video": mood.write_all}, stack)
    config = {"url": camera.url("/video")}

    def shows(pictures: list[bytes]) -> Act:
        return lambda: setattr(mood, "pictures", pictures)

    moving = mood.pictures
    grey, still = [_grey(level) for level in (100, 101, 102)], moving[:1]
    troubles = {
        "blank": Trouble(does=shows(grey), mend=shows(moving), state="blank", reason="one colour"),
        "frozen": Trouble(does=shows(still), mend=shows(moving), state="frozen", reason="has changed"),
    }
    return Watched(kind="ffmpeg", config=config, troubles=troubles, size=(320, 180))


@dataclass
class Mood:
    """A camera that gives Motion JPEG (multipart/x-mixed-replace) of these pictures, one after the other."""

    pictures: list[bytes] = field(default_factory=lambda: [_noise(seed) for seed in range(7)])

    def write_all(self, write: Write) -> None:
        write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        for number in islice(cycle(range(420)), 6000):
            jpeg = self.pictures[number % len(self.pictures)]
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            write(head.encode() + jpeg + b"\r\n")
            sleep(1 / _FPS)


def _hls(stack: ExitStack, folder: Path) -> Watched:
    camera = HlsCamera(folder)
    stack.callback(camera.close)
    camera.start()
    dead = Trouble(does=camera.kill, mend=camera.start, state="stalled", reason="")
    return Watched(kind="ffmpeg", config={"url": camera.url}, troubles={"killed": dead}, size=(320, 180))


class HlsCamera:
    """A live playlist that a real ffmpeg makes: segments of a second, the last five of them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._making: subprocess.Popen[bytes] | None = None
        self._server = ThreadingHTTPServer((HERE, 0), partial(_Quiet, directory=str(folder)))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://{HERE}:{self._server.server_port}/live.m3u8"

    def start(self) -> None:
        program = shutil.which("ffmpeg")
        assert program, "There is no ffmpeg on this machine."
        source = ["-re", "-f", "lavfi", "-i", f"testsrc=size=320x180:rate={_FPS}"]
        coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", str(_FPS), "-pix_fmt", "yuv420p"]
        hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "5"]
        flags = ["-hls_flags", "delete_segments+temp_file"]
        out = str(self._folder / "live.m3u8")
        self._making = subprocess.Popen(
            [program, "-v", "error", "-nostdin", *source, *coded, *hls, *flags, out]
        )

    def kill(self) -> None:
        if self._making:
            self._making.kill()
            self._making.wait(10)

    def close(self) -> None:
        self.kill()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def _video_site(stack: ExitStack, clip: Path) -> Watched:
    make_clip(clip, seconds=4, fps=10, gop=10, width=320, height=180)
    site = stack.enter_context(video_site(clip))

    def fail(status: int) -> Act:
        def act() -> None:
            site.page_status = status
            site.revoke()

        return act

    mend = partial(setattr, site, "page_status", 200)
    troubles = {
        "error": Trouble(does=fail(503), mend=mend, state="down", reason="does not answer"),
        "refused": Trouble(does=fail(403), mend=mend, state="blocked", reason="refuses"),
    }
    return Watched(kind="yt", config={"url": site.url}, troubles=troubles, size=(320, 180))


def _pushed() -> Watched:
    sending = threading.Event()
    sending.set()
    picture = _noise(3)

    def send(client: httpx2.Client, view: str) -> None:
        if sending.is_set():
            told = {"Content-Type": "image/jpeg"}
            assert client.post(f"/api/stream/{view}/push", content=picture, headers=told).status_code == 202

    silent = Trouble(does=sending.clear, mend=sending.set, state="stalled", reason="Nothing was sent for 4 s")
    config = {"expect_every_s": 4}
    return Watched(kind="push", config=config, troubles={"silent": silent}, size=(320, 180), tick=send)


def _folder(folder: Path) -> Watched:
    folder.mkdir()
    picture = folder / "1.jpg"
    picture.write_bytes(_noise(4))
    torn = Trouble(
        does=lambda: picture.write_bytes(b"\xff\xd8 torn"),
        mend=lambda: picture.write_bytes(_noise(5)),
        state="down",
        reason="1.jpg",
    )
    gone = Trouble(
        does=picture.unlink,
        mend=lambda: picture.write_bytes(_noise(6)),
        state="down",
        reason="no picture",
    )
    config = {"path": str(folder), "interval_s": 1}
    return Watched(kind="file", config=config, troubles={"torn": torn, "gone": gone}, size=(320, 180))


def _html(body: str) -> bytes:
    return page(f"<!doctype html>{body}".encode(), "text/html; charset=utf-8")


def _noise(seed: int) -> bytes:
    """Make a picture of coarse noise."""
    coarse = np.random.default_rng(seed).integers(0, 256, (18, 32, 1), np.uint8)
    return _jpeg(np.ascontiguousarray(coarse.repeat(10, axis=0).repeat(10, axis=1)))


def _grey(level: int = 128) -> bytes:
    return _jpeg(np.full((180, 320, 1), level, np.uint8))


def _jpeg(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    return bytes(simplejpeg.encode_jpeg(pixels, colorspace="GRAY", colorsubsampling="Gray"))

import errno
import io
import ipaddress
import itertools
import socket
import struct
import wave
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from glimpser.capture.ingest.opening import MAX_PICTURE_PX, MediaError, Opener, Patience, explain
from glimpser.capture.still import take_picture
from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.live import MediaInput
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.camera import FakeCamera
from tests.unit.capture.media import encode, frame_of, steps
from tests.unit.capture.rtsp import says, serving

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def opener(*roots: Path, policy: GatePolicy | None = None) -> Opener:
    gate = Gate(policy or GatePolicy(allowed=LOOPBACK, setting="capture.camera_cidrs"))
    return Opener(gate, file_roots=roots, stall_timeout_s=8)


def refusal(media: MediaInput, opener: Opener) -> MediaError:
    with pytest.raises(MediaError) as refused, opener.open(media):
        pass
    return refused.value


def of_camera(url: str) -> MediaError:
    return refusal(MediaInput(address=url), opener())


def of_file(path: Path) -> MediaError:
    return refusal(MediaInput(address=path.name, is_file=True), opener(path.parent))


@pytest.fixture(scope="module")
def camera(clips: Path) -> Iterator[FakeCamera]:
    with FakeCamera(clips / "plain.mp4", login=("ann", "p@ss:w/rd")) as running:
        yield running


# Cameras


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_is_opened_and_gives_packets(camera: FakeCamera, transport: str) -> None:
    media = MediaInput(address=camera.url, transport="tcp" if transport == "tcp" else "udp")

    with opener().open(media) as opened:
        packet = next(iter(opened.container.demux(opened.stream)))

    assert packet.size > 0
    assert opened.nominal_fps == pytest.approx(20)


@pytest.mark.parametrize(
    ("status", "sentence", "patience"),
    [
        ("401 Unauthorized", "user name and password", Patience.LATER),
        ("403 Forbidden", "forbids", Patience.LATER),
        ("404 Not Found", "no stream under this path", Patience.SOON),
        ("400 Bad Request", "cannot be read", Patience.SOON),
        ("503 Service Unavailable", "cannot be read", Patience.SOON),
    ],
)
def test_each_refusal_of_a_camera_has_its_sentence(status: str, sentence: str, patience: Patience) -> None:
    with serving(says(status)) as server:
        refused = of_camera(server.url.replace("//", "//ann:s3cret@"))

    assert sentence in refused.reason
    assert refused.patience is patience
    assert "s3cret" not in refused.reason


def test_a_wrong_password_is_told_from_a_camera_that_is_away(camera: FakeCamera) -> None:
    wrong = of_camera(camera.url_as(("ann", "wrong")))

    assert "user name and password" in wrong.reason
    assert wrong.patience is Patience.LATER


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert "refuses the connection" in of_camera(f"rtsp://127.0.0.1:{port}/").reason


@pytest.mark.parametrize("garbage", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\0" * 64 + b"\r\n\r\n"])
def test_what_is_no_camera_is_told_and_not_retried_in_haste_for_ever(garbage: bytes) -> None:
    with serving(lambda _: garbage) as server:
        refused = of_camera(server.url)

    assert refused.reason
    assert refused.patience is Patience.SOON


@pytest.mark.parametrize("address", ["rtsp://169.254.169.254/", "rtsp://0.0.0.0/", "rtsp://10.0.0.9/"])
def test_an_address_that_is_closed_is_never_connected_to(address: str) -> None:
    refused = of_camera(address)

    assert refused.patience is Patience.NEVER


def test_our_own_socket_is_never_connected_to(camera: FakeCamera) -> None:
    own = frozenset({(ipaddress.ip_address("127.0.0.1"), camera.port)})

    refused = refusal(MediaInput(address=camera.url), opener(policy=GatePolicy(allowed=LOOPBACK, own=own)))

    assert "this program itself" in refused.reason


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "concat:/etc/passwd", "http://127.0.0.1/", "/etc/passwd", "rtsp://\n"]
)
def test_what_is_no_camera_url_is_refused(address: str) -> None:
    assert of_camera(address).patience is Patience.NEVER


# Redirects


@pytest.mark.parametrize(
    ("method", "status"), [("OPTIONS", "301 Moved Permanently"), ("DESCRIBE", "302 Found")]
)
def test_a_camera_that_sends_us_elsewhere_gives_no_picture(
    camera: FakeCamera, method: str, status: str
) -> None:
    def answer(asked: str) -> bytes:
        if asked != method:
            return says("200 OK")(asked)
        return f"RTSP/1.0 {status}\r\nLocation: {camera.url}\r\n\r\n".encode()

    with serving(answer) as server:
        refused = of_camera(server.url)

    assert "another address" in refused.reason
    assert refused.patience is Patience.NEVER


def test_a_redirect_is_refused_while_honest_cameras_are_open_and_they_stay_open(
    camera: FakeCamera, clips: Path
) -> None:
    own = opener()
    with (
        FakeCamera(clips / "plain.mp4") as target,
        own.open(MediaInput(address=camera.url)) as honest,
        serving(says("302 Found", f"Location: {target.url}")) as server,
    ):
        refused = refusal(MediaInput(address=server.url), own)
        packets = list(itertools.islice(honest.container.demux(honest.stream), 30))

    assert "another address" in refused.reason
    assert len(packets) == 30


def test_many_streams_of_one_recorder_are_open_at_once(camera: FakeCamera) -> None:
    own = opener()
    media = MediaInput(address=camera.url)

    with own.open(media) as one, own.open(media) as other:
        assert one.stream.codec_context.name == other.stream.codec_context.name == "h264"


def test_a_connection_of_somebody_else_in_this_process_is_nobodys_fault(camera: FakeCamera) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
        opener().open(MediaInput(address=camera.url)) as opened,
    ):
        assert opened.stream.codec_context.name == "h264"


def test_a_redirect_in_circles_ends() -> None:
    ports: list[int] = []

    def answer(method: str) -> bytes:
        if len(ports) > 20:
            return b""
        ports.append(server.port)
        return f"RTSP/1.0 302 Found\r\nLocation: {server.url}\r\n\r\n".encode()

    with serving(answer) as server:
        assert of_camera(server.url).reason


# Errors in words


@pytest.mark.parametrize(
    ("kind", "code", "sentence", "patience"),
    [
        (av.error.HTTPUnauthorizedError, -1, "user name and password", Patience.LATER),
        (av.error.HTTPForbiddenError, -1, "forbids", Patience.LATER),
        (av.error.HTTPNotFoundError, -1, "under this path", Patience.SOON),
        (av.error.ConnectionRefusedError, errno.ECONNREFUSED, "refuses the connection", Patience.SOON),
        (av.error.TimeoutError, errno.ETIMEDOUT, "does not answer", Patience.SOON),
        (av.error.ExitError, -1, "does not answer", Patience.SOON),
        (av.error.InvalidDataError, -1, "not a video", Patience.SOON),
        (av.error.EOFError, -1, "ended", Patience.SOON),
        (av.error.OSError, errno.EHOSTUNREACH, "no way to the camera's network", Patience.SOON),
        (av.error.OSError, errno.ENETUNREACH, "no way to the camera's network", Patience.SOON),
        (av.error.FFmpegError, -1, "cannot be read", Patience.SOON),
    ],
)
def test_each_error_of_libav_has_a_sentence_without_secrets(
    kind: type[av.error.FFmpegError], code: int, sentence: str, patience: Patience
) -> None:
    error = kind(code, "rtsp://ann:s3cret@host/: it failed, token=t0ken", "rtsp://ann:s3cret@host/")

    told = explain(error, is_file=False)

    assert sentence in told.reason
    assert told.patience is patience
    assert "s3cret" not in told.reason
    assert "t0ken" not in told.reason


# Files


def png(width: int, height: int) -> bytes:
    """A gray PNG of one colour (W3C PNG, 5): small, however large its picture is."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(width + 1)) for _ in range(height)) + rows.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mjpeg") as output:
        stream = output.add_stream("mjpeg", rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        output.mux(stream.encode(frame_of(steps()).reformat(format="yuvj420p")))
        output.mux(stream.encode(None))
    return buffer.getvalue()


def sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(8000)
        output.writeframes(bytes(16000))
    return buffer.getvalue()


NOT_VIDEOS: dict[str, Callable[[], bytes]] = {
    "empty.mp4": lambda: b"",
    "noise.mp4": lambda: bytes(range(256)) * 40,
    "picture.png": lambda: png(64, 64),
    "picture.jpg": jpeg,
    "renamed.mp4": jpeg,
    "huge.png": lambda: png(30_000, 3_000),
    "words.txt": lambda: b"Dear diary,\n" * 200,
    "sound.wav": sound,
    "list.m3u8": lambda: (
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    ),
    "list.ffconcat": lambda: b"ffconcat version 1.0\nfile 'plain.mp4'\n",
    "session.sdp": lambda: (
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        b"a=rtpmap:96 H264/90000\n"
    ),
    "subtitles.srt": lambda: b"1\n00:00:01,000 --> 00:00:02,000\nHello\n\n" * 20,
}


@pytest.mark.parametrize("name", NOT_VIDEOS)
def test_a_file_that_is_no_video_says_so_plainly(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(NOT_VIDEOS[name]())

    refused = of_file(tmp_path / name)

    assert "no video" in refused.reason
    assert refused.patience in (Patience.NEVER, Patience.LATER)


@pytest.mark.parametrize(
    "suffix", ["mp4", "mkv", "avi", "ts", "mov", "flv", "nut", "h264", "mpg", "ogv", "webm"]
)
def test_videos_of_all_usual_containers_are_opened(tmp_path: Path, suffix: str) -> None:
    codecs = {"mpg": "mpeg2video", "ogv": "libtheora", "webm": "libvpx"}
    codec = codecs.get(suffix, "libx264")
    if codec not in av.codecs_available:
        pytest.skip(f"PyAV was built without {codec}")
    path = encode(tmp_path / f"clip.{suffix}", count=5, codec=codec, fps=25)

    with opener(tmp_path).open(MediaInput(address=path.name, is_file=True)) as media:
        frames = list(media.container.decode(media.stream))

    assert len(frames) == 5


def test_a_file_that_is_not_there_is_for_a_person_to_mend(tmp_path: Path) -> None:
    refused = of_file(tmp_path / "missing.mp4")

    assert "No such file" in refused.reason
    assert refused.patience is Patience.NEVER


def test_a_picture_larger_than_allowed_is_refused_by_the_decoder(tmp_path: Path) -> None:
    assert MAX_PICTURE_PX < 30_000 * 30_000
    path = encode(tmp_path / "large.avi", count=1, codec="mjpeg", size=(8192, 4400))

    with (
        opener(tmp_path).open(MediaInput(address=path.name, is_file=True)) as media,
        pytest.raises(av.error.FFmpegError),
    ):
        list(media.container.decode(media.stream))


# One picture


def test_one_picture_is_taken_of_a_camera_and_of_a_file(camera: FakeCamera, clips: Path) -> None:
    of_a_camera = take_picture(opener(), MediaInput(address=camera.url))
    of_a_file = take_picture(opener(clips), MediaInput(address="plain.mp4", is_file=True))

    assert (of_a_camera.width, of_a_camera.height) == (of_a_file.width, of_a_file.height) == (64, 64)
    assert of_a_camera.data[:2] == b"\xff\xd8"


def test_taking_a_picture_says_who_must_act(tmp_path: Path, camera: FakeCamera) -> None:
    with pytest.raises(InvalidInput):
        take_picture(opener(tmp_path), MediaInput(address="missing.mp4", is_file=True))
    with pytest.raises(Unavailable):
        take_picture(opener(), MediaInput(address=camera.url_as(None)))


def test_a_file_is_closed_after_use(clips: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(3):
        with opener(clips).open(MediaInput(address="plain.mp4", is_file=True)):
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "rtsps"])
def test_a_camera_that_is_silent_is_said_to_be(scheme: str) -> None:
    gate = Gate(GatePolicy(allowed=LOOPBACK))
    impatient = Opener(gate, file_roots=(), stall_timeout_s=8, open_timeout_s=0.5)
    with socket.create_server(("127.0.0.1", 0)) as hole:  # it takes connections, and nobody accepts them
        port = hole.getsockname()[1]

        failure = refusal(MediaInput(address=f"{scheme}://127.0.0.1:{port}/"), impatient)

    assert "does not answer" in failure.reason

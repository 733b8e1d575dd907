"""The program that encodes one video: `python -m glimpser.encoding.encode_main`.

It reads messages (`wire`) from standard input, writes an MP4 where the first one says, and at the end a line
of JSON: `{"frames", "unreadable", "codec", "width", "height", "duration_s"}`, or `{"error", "full"}`. The
index of the file lies before its frames ("faststart"), so that players begin before they have all of it.

It is given pictures of strangers, runs native code over them, and may end in any way.
"""

import errno
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, BinaryIO

import av
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.stream import VideoStream

from glimpser.encoding import frames
from glimpser.encoding.frames import Picture
from glimpser.encoding.wire import Message, messages

THREADS = 2
H264, FALLBACK = "libx264", "mpeg4"
_H264_OPTIONS = {"preset": "veryfast", "crf": "23"}
_KEY_FRAMES_EVERY_S = 2
_BITS_PER_PIXEL = 0.12
"""Of the fallback, which is steered by a bit rate."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(slots=True)
class Video:
    """One file being written. It is opened by the first picture that can be read."""

    spec: Mapping[str, Any]
    encoder: str
    unreadable: int = 0
    count: int = 0
    _begin: int = 0
    _last: int = -1
    _step: int = 1
    _container: OutputContainer | None = None
    _stream: VideoStream | None = None
    _size: tuple[int, int] = (0, 0)
    _frame: Picture | None = field(default=None, repr=False)

    def show(self, still: Message) -> None:
        """Encode one still."""
        picture = self._picture(still)
        head = still.head
        if picture is None:
            self.unreadable += not head["is_dimmed"]
            return
        if self._container is None:
            self._open(picture, begin=int(head["at"]))
        fresh = frames.fitted(picture, self._size) if not head["is_dimmed"] else frames.dimmed(picture)
        if not head["is_dimmed"]:
            self._frame = fresh
        shown = av.VideoFrame.from_ndarray(frames.captioned(fresh, str(head["caption"])), format="bgr24")
        for number in range(int(head["frames"])):
            self._encode(shown, int(head["at"]) - self._begin + number)

    def finish(self) -> Mapping[str, object]:
        """Write the rest; tells what came of it."""
        if self._container is None or self._stream is None:
            return {"frames": 0, "unreadable": self.unreadable}
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return {
            "frames": self.count,
            "unreadable": self.unreadable,
            "codec": "h264" if self.encoder == H264 else self.encoder,
            "width": self._size[0],
            "height": self._size[1],
            "duration_s": (self._last + self._step) / int(self.spec["ticks_per_s"]),
        }

    def _picture(self, still: Message) -> Picture | None:
        return self._frame if still.head["is_dimmed"] else frames.decode(still.picture)

    def _open(self, first: Picture, *, begin: int) -> None:
        spec, fps = self.spec, int(self.spec["fps"])
        self._begin = begin
        self._size = frames.size_of(first, spec["width_px"])
        container = av.open(str(spec["path"]), "w", format="mp4", options={"movflags": "+faststart"})
        assert isinstance(container, OutputContainer)
        metadata = {"title": spec["title"], "comment": spec["comment"], "creation_time": spec["created_at"]}
        container.metadata.update(metadata)
        stream = container.add_stream(self.encoder, rate=fps)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *self._size, "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, int(spec["ticks_per_s"]))
        context.gop_size = fps * _KEY_FRAMES_EVERY_S
        context.thread_count = THREADS
        if self.encoder == H264:
            stream.options = dict(_H264_OPTIONS)
        else:
            context.bit_rate = max(200_000, round(self._size[0] * self._size[1] * fps * _BITS_PER_PIXEL))
        self._container, self._stream = container, stream

    def _encode(self, shown: av.VideoFrame, at: int) -> None:
        assert self._container is not None
        assert self._stream is not None
        if at <= self._last:
            raise ValueError("stills come in the order of their times")
        shown.pts, shown.time_base = at, Fraction(1, int(self.spec["ticks_per_s"]))
        self._container.mux(self._stream.encode(shown))
        self._step, self._last = at - self._last if self._last >= 0 else 1, at
        self.count += 1


def choose_encoder(find: Callable[[str], object] = lambda name: av.Codec(name, "w")) -> str:
    """Give the name of the encoder: H.264, or MPEG-4 part 2 where this libav has none."""
    try:
        find(H264)
    except UnknownCodecError:
        return FALLBACK
    return H264


def encode(pipe: BinaryIO, encoder: str) -> Mapping[str, object] | None:
    """Make the video that a pipe asks for; None: it closed before the end."""
    told: Iterator[Message] = messages(pipe)
    first = next(told, None)
    if first is None:
        return None
    video = Video(first.head, encoder)
    for message in told:
        if message.head.get("end"):
            return video.finish()
        video.show(message)
    return None


def main() -> int:
    try:
        result = encode(sys.stdin.buffer, choose_encoder())
    except OSError as error:  # libav's errors are such, too
        result = {"error": error.strerror or "unknown", "full": error.errno in _FULL}
    if result is None:
        return 1
    sys.stdout.write(json.dumps(result) + "\n")
    return 0 if "error" not in result else 1


if __name__ == "__main__":
    sys.exit(main())

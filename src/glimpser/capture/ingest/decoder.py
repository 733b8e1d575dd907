"""Decoding only while somebody wants pixels."""

from collections.abc import Iterator

import av
from av.video.frame import VideoFrame

from glimpser.capture.ingest.hardware import Codec
from glimpser.capture.ingest.ring import GopRing, VideoPacket


class OnDemandDecoder:
    """Decodes packets while wanted; when wanting begins, catches up from the last key frame.

    After a packet that cannot be decoded it waits for the next key frame. One thread.
    """

    def __init__(self, codec: Codec, *, ring_bytes: int = 16 << 20) -> None:
        self._codec = codec
        self._ring = GopRing(ring_bytes)
        self._in_step = False
        self.errors = 0
        """Packets that could not be decoded."""

    def feed(self, packet: VideoPacket, *, wanted: bool, keys_only: bool = False) -> Iterator[VideoFrame]:
        """Take the stream's next packet and give the frames it completes, in order of presentation.

        `keys_only` decodes key frames alone, for a reader that does not keep up.
        """
        self._ring.add(packet)
        if keys_only and not packet.is_keyframe:
            self._ring.clear()  # decoding cannot go on from here, only from the next key frame
        if keys_only or not wanted:
            self._in_step = False
        if wanted and keys_only and packet.is_keyframe:
            yield from self._alone(packet)
        elif wanted and self._in_step:
            yield from self._decode(packet)
        elif wanted and self._ring.packets:
            yield from self._catch_up()

    def drain(self) -> Iterator[VideoFrame]:
        """Give the frames held back for their order: the stream ends here, or begins anew."""
        if self._in_step:
            yield from self._decode(None)
        self._ring.clear()
        self._codec.flush_buffers()
        self._in_step = False

    def last(self) -> Iterator[VideoFrame]:
        """Give the last frames of a stream that is gone, wanted or not."""
        if not self._in_step and self._ring.packets:
            yield from self._catch_up()
        yield from self.drain()

    def _catch_up(self) -> Iterator[VideoFrame]:
        """Decode the current group and give its last frame alone: the others are past."""
        packets = list(self._ring.packets)
        self._codec.flush_buffers()
        self._in_step = True
        newest: VideoFrame | None = None
        for packet in packets:
            for frame in self._decode(packet):
                newest = frame
            if not self._in_step:
                break
        if newest is not None:
            yield newest

    def _alone(self, packet: VideoPacket) -> Iterator[VideoFrame]:
        """Decode one key frame without what follows; a codec that reorders must be drained of it."""
        self._codec.flush_buffers()
        yield from self._decode(packet)
        yield from self._decode(None)
        self._codec.flush_buffers()
        self._in_step = False

    def _decode(self, packet: "VideoPacket | None") -> Iterator[VideoFrame]:
        try:
            yield from self._codec.decode(packet)
        except av.error.FFmpegError:
            self.errors += 1
            self._in_step = False
            self._ring.clear()

"""The packets of the current group of pictures, so that decoding can begin at any moment."""

from collections import deque
from collections.abc import Sequence
from typing import TypeAlias

from av.packet import Packet
from av.video.stream import VideoStream

VideoPacket: TypeAlias = "Packet[VideoStream]"


class GopRing:
    """Holds the newest packets from a key frame on.

    A group larger than `max_bytes` is given up whole: a part of it without its key frame is of no use.
    """

    def __init__(self, max_bytes: int = 16 << 20) -> None:
        self._max_bytes = max_bytes
        self._packets: deque[VideoPacket] = deque()
        self._size_bytes = 0

    def add(self, packet: VideoPacket) -> None:
        if packet.is_keyframe:
            self.clear()
        elif not self._packets:
            return
        self._packets.append(packet)
        self._size_bytes += packet.size
        if self._size_bytes > self._max_bytes:
            self.clear()

    def clear(self) -> None:
        self._packets.clear()
        self._size_bytes = 0

    @property
    def packets(self) -> Sequence[VideoPacket]:
        """The group so far, key frame first; empty while none has come."""
        return self._packets

"""The live wall: the pictures of many views over one WebSocket. Bytes and values only, no socket.

A browser opens six HTTP/1.1 connections to a host, so a wall of MJPEG streams would leave none for anything
else. Here the client says which tiles can be seen, and gets their newest pictures, each a binary message:

    [version u8 = 1][length of id u8][time of capture f64, big endian, seconds since 1970][id][JPEG]

Everything that a socket could not take in time is lost but the newest picture of each tile, so that a slow
reader costs the same as a fast one. Text messages are few; they wait in order, up to a limit.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec

from glimpser.core.errors import InvalidInput
from glimpser.core.frames import NATIVE_WIDTH, WIDTHS, Frame, shared_width
from glimpser.core.ids import TemplateId
from glimpser.streaming.subscriptions import Published, Sink

VERSION = 1
MAX_TILES = 64
MAX_REQUEST_BYTES = 16 * 1024
MIN_FPS = 0.1
MAX_FPS = 30.0
MAX_MESSAGES = 200
"""So many text messages wait for a socket at most; one that is further behind has to begin anew."""

_HEAD = struct.Struct(">BBd")
_WIDEST_PX = max(width for width in WIDTHS if width != NATIVE_WIDTH)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tile:
    """What one tile shows: `width` is one of `WIDTHS` but the native one, `fps` within the limits above."""

    template_id: TemplateId
    fps: float
    width: int


class NotJson(InvalidInput):
    """What came is no JSON at all."""


class _AskedTile(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    fps: float
    w: float


class _Asked(msgspec.Struct):
    tiles: Annotated[list[_AskedTile], msgspec.Meta(max_length=MAX_TILES)]


_asked = msgspec.json.Decoder(_Asked)


def parse_request(text: str) -> tuple[Tile, ...]:
    """Read the tiles a client can see, `{"tiles": [{"id", "fps", "w"}]}`; of an id named twice, the last.

    Rates are brought within the limits, widths in pixels rounded up to a shared one. Fields unknown here are
    passed over: a client may be newer.

    Raises:
        NotJson: it is none.
        InvalidInput: it has another shape, or is too much.
    """
    try:
        content = text.encode()
        if len(content) > MAX_REQUEST_BYTES:
            raise InvalidInput(f"A message has at most {MAX_REQUEST_BYTES} bytes.")
        asked = _asked.decode(content)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"This does not name tiles: {error}.") from error
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise NotJson("This is not JSON.") from error
    return tuple({tile.id: _tile(tile) for tile in asked.tiles}.values())


def _tile(asked: _AskedTile) -> Tile:
    width_px = min(max(1, asked.w), _WIDEST_PX)
    return Tile(TemplateId(asked.id), min(max(MIN_FPS, asked.fps), MAX_FPS), shared_width(round(width_px)))


def binary_message(frame: Frame) -> bytes:
    """Put a picture into the form a socket sends it in."""
    name = frame.template_id.encode()
    head = _HEAD.pack(VERSION, len(name), frame.captured_at.timestamp())
    return b"".join((head, name, frame.jpeg))


class Overflow(Exception):  # named as `asyncio.QueueFull` and its like are
    """So many text messages waited that some were lost: the client must look at everything anew."""


class Outbox(Generic[T]):
    """What waits for one socket: text messages of type `T`, and of each tile the newest picture.

    Texts go first. Of the pictures goes first the one whose tile has waited longest, so that a socket that
    takes only some of them shows every tile equally often. Event loop's thread.
    """

    def __init__(self, *, max_messages: int = MAX_MESSAGES) -> None:
        self._texts: deque[T] = deque()
        self._max_messages = max_messages
        self._overflowed = False
        self._pictures: dict[TemplateId, Published] = {}
        self._arrived = asyncio.Event()

    @property
    def waiting(self) -> Mapping[TemplateId, Published]:
        """The pictures that wait, in the order they will be sent in."""
        return self._pictures

    def put(self, text: T) -> None:
        """Have a text message sent."""
        if len(self._texts) >= self._max_messages:
            self._overflowed = True
        else:
            self._texts.append(text)
        self._arrived.set()

    def sink(self, template_id: TemplateId) -> Sink:
        """Make what takes the pictures of one tile. A picture shown already is not sent again."""
        shown: Published | None = None

        def take(picture: Published) -> bool:
            nonlocal shown
            if picture is shown:
                return True  # the hub repeats it for browsers that read MJPEG; this client has it
            shown = picture
            lost = template_id in self._pictures
            self._pictures[template_id] = picture  # in the place of the older one, if one waits
            self._arrived.set()
            return not lost

        return take

    def forget(self, template_id: TemplateId) -> None:
        """Send nothing of a tile that is no longer seen."""
        self._pictures.pop(template_id, None)

    async def next(self) -> T | Published:
        """Wait for what is to be sent next.

        Raises:
            Overflow: the socket has fallen too far behind.
        """
        while not (self._texts or self._pictures or self._overflowed):
            self._arrived.clear()
            await self._arrived.wait()
        if self._overflowed:
            raise Overflow
        if self._texts:
            return self._texts.popleft()
        return self._pictures.pop(next(iter(self._pictures)))

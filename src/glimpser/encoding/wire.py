"""What the encoder is told through its pipe, message by message.

A message is a u32 (big-endian), so many bytes of JSON, and the picture, whose size the JSON says.
First comes the spec, then stills, then `{"end": true}`: a pipe that closes before that is a wish withdrawn.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from glimpser.core.encoding import Still, VideoSpec

_LENGTH = struct.Struct(">I")
MAX_HEAD_BYTES = 64 << 10
MAX_PICTURE_BYTES = 64 << 20
END: Mapping[str, object] = {"end": True}


@dataclass(frozen=True, slots=True)
class Message:
    head: Mapping[str, Any]
    picture: bytes


def pack(head: Mapping[str, object], picture: bytes = b"") -> bytes:
    text = json.dumps({**head, "picture_bytes": len(picture)}).encode()
    return _LENGTH.pack(len(text)) + text + picture


def spec_head(spec: VideoSpec, path: str) -> Mapping[str, object]:
    return {
        "path": path,
        "title": spec.title,
        "comment": spec.comment,
        "created_at": spec.created_at.isoformat(),
        "width_px": spec.width_px,
        "ticks_per_s": spec.ticks_per_s,
        "fps": spec.fps,
    }


def still_head(still: Still) -> Mapping[str, object]:
    shown = {"at": still.at, "frames": still.frames, "caption": still.caption}
    return shown | {"is_dimmed": still.jpeg is None}


def messages(pipe: BinaryIO) -> Iterator[Message]:
    """Read messages up to the last; the caller looks whether that is `END`.

    Raises:
        ValueError: it is none.
    """
    while length := pipe.read(_LENGTH.size):
        if len(length) < _LENGTH.size:
            return
        (size_bytes,) = _LENGTH.unpack(length)
        if size_bytes > MAX_HEAD_BYTES:
            raise ValueError("a message's head is too long")
        text = pipe.read(size_bytes)
        if len(text) < size_bytes:
            return
        head = json.loads(text)
        wanted = int(head["picture_bytes"])
        if not 0 <= wanted <= MAX_PICTURE_BYTES:
            raise ValueError("a message's picture is too large")
        picture = pipe.read(wanted)
        if len(picture) < wanted:
            return
        yield Message(head, picture)

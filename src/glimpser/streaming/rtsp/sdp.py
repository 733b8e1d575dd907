"""How DESCRIBE describes a mount: SDP (RFC 8866) with the H.264 parameters of RFC 6184, section 8.2.1."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

from glimpser.streaming.rtsp.messages import TRACK
from glimpser.streaming.rtsp.rtp import CLOCK_HZ, PAYLOAD_TYPE


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """The sequence and picture parameter sets of a stream, as NAL units without start codes."""

    sps: bytes
    pps: tuple[bytes, ...]

    def __iter__(self) -> Iterator[bytes]:
        yield self.sps
        yield from self.pps


def describe(sets: ParameterSets, *, name: str) -> bytes:
    """Write the session description; `name` is shown to people and must hold no line break."""
    encoded = ",".join(base64.b64encode(unit).decode() for unit in sets)
    codec = f"profile-level-id={sets.sps[1:4].hex().upper()};sprop-parameter-sets={encoded}"
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 0.0.0.0",
        f"s={name}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;{codec}",
        f"a=control:{TRACK}",
        "",
    ]
    return "\r\n".join(lines).encode()

"""An RTSP/1.0 server for H.264 (RFC 2326, RFC 6184): stream copy in, unicast RTP out.

`messages`, `auth`, `transport`, `rtp` and `sdp` turn bytes into values and back without I/O;
`mount` and `delivery` carry packets to viewers; `connection` speaks with one client; `server` owns them all.
"""

from glimpser.streaming.rtsp.mount import Mount
from glimpser.streaming.rtsp.server import Limits, RtspServer
from glimpser.streaming.rtsp.transport import Lower

__all__ = ["Limits", "Lower", "Mount", "RtspServer"]

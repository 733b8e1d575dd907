"""What libav is held to, whatever it opens."""

from typing import Final

VIDEO_FORMATS: Final = (
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,ogg,nut,mxf,dv,mjpeg"
)
"""Demuxers of video: none of images, none that draws text (tty), none of playlists (hls, concat, sdp)."""
NO_PROTOCOL: Final = "none"
"""No such protocol exists: what is opened by us cannot make libav open another."""
MAX_PICTURE_PX: Final = 8192 * 4320
"""Larger pictures are refused before memory is taken for them."""


def limits(*, protocols: str, formats: str) -> dict[str, str]:
    """Give the options of libav that hold it to these protocols and demuxers."""
    return {
        "protocol_whitelist": protocols,
        "format_whitelist": formats,
        "max_pixels": str(MAX_PICTURE_PX),  # for the decoders libav probes with
    }

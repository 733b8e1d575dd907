"""Addresses, redirects and playlists that lead where nothing may be fetched, and their legal neighbours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OPEN, CLOSED = "127.0.0.2", "127.0.0.9"
CAMERAS, REST = "capture.camera_cidrs", "capture.egress_allow"


@dataclass(frozen=True, slots=True)
class Try:
    """What is tried: `address` has `{open}` and `{closed}` for the servers.

    A `kind` of None leaves the program to find out. `words` are of the reason why it fails; a twin `shows`.
    """

    kind: str | None
    address: str
    words: str = ""
    shows: bool = False


def tries() -> Mapping[str, Try]:
    """Give the whole table."""
    return {**CLOSED_ADDRESSES, **dict(_redirects()), **dict(_lists()), **ODD, **TWINS}


def lists() -> Mapping[str, str]:
    """Give the bodies that a server of streams answers with, by their names."""
    segments = {name: _playlist("#", segment) for name, segment in _SEGMENTS.items()}
    before = {name: _playlist(line, "http://{open}/1.ts") for name, line in _BEFORE.items()}
    return {**segments, **before, **_BODIES, "twin": _playlist("#", "/1.ts")}


CLOSED_ADDRESSES = {
    "camera": Try("ffmpeg", "http://{closed}/video", CAMERAS),
    "camera over RTSP": Try("ffmpeg", "rtsp://{closed}/video", CAMERAS),
    "camera that is guessed": Try(None, "rtsp://{closed}/video", CAMERAS),
    "picture": Try("image", "http://{closed}/a.jpg", REST),
    "document": Try("pdf", "http://{closed}/a.pdf", REST),
    "page": Try("website", "http://{closed}/", REST),
    "video site": Try("yt", "http://{closed}/watch", REST),
    "anything": Try(None, "http://{closed}/a.jpg", REST),
    "name": Try("image", "http://localhost:{port}/a.jpg", REST),
    "mapped IPv6": Try("image", "http://[::ffff:" + CLOSED + "]:{port}/a.jpg", REST),
    "metadata": Try("image", "http://169.254.169.254/latest/meta-data/", "never"),
    "everywhere": Try("image", "http://0.0.0.0:{port}/a.jpg", "never"),
    "multicast": Try("ffmpeg", "rtsp://239.0.0.1/a", "never"),
}
"""A refusal names the setting that would open the address to this kind of view."""

ODD = {
    "list that is guessed": Try(None, "http://{open}/list/segment.m3u8"),
    "drawing": Try("image", "http://{open}/list/SVG.m3u8", "SVG"),
    "drawing with entities": Try("image", "http://{open}/list/entities.m3u8", "SVG"),
    "picture without end of redirects": Try("image", "http://{open}/endless", "redirects"),
    "page without end of redirects": Try("website", "http://{open}/endless", "no page"),
    "shell": Try("ffmpeg", "http://{open}/$(touch${{IFS}}attacked);`id`|x&y", "path"),
    "option": Try("yt", "http://{open}/--exec=touch"),
    "list in a file": Try("file", "list.mp4", "no video"),
    "link": Try("file", "link.mp4", "Links are not followed"),
}

TWINS = {
    "camera here": Try("ffmpeg", "http://{open}/video", shows=True),
    "list of here": Try("ffmpeg", "http://{open}/list/twin.m3u8", shows=True),
    "page here": Try("website", "http://{open}/?a=$(b);`c`|d", shows=True),
    "file here": Try("file", "an honest;$(name).mp4", shows=True),
}

_SEGMENTS = {
    "segment": "http://{closed}/1.ts",
    "tcp": "tcp://{closed}",
    "file": "file:///etc/passwd",
    "concat": "concat:http://{closed}/1.ts",
    "crypto": "crypto+http://{closed}/1.ts",
    "data": "data:video/mp2t;base64,R0FB",
    "subfile": "subfile,,start,0,end,9,,:/etc/passwd",
    "gopher": "gopher://{closed}/1.ts",
}
_BEFORE = {
    "key": '#EXT-X-KEY:METHOD=AES-128,URI="http://{closed}/key"',
    "key in a file": '#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"',
    "map": '#EXT-X-MAP:URI="http://{closed}/init.mp4"',
}
_BODIES = {
    "concat script": "ffconcat version 1.0\nfile 'http://{closed}/1.ts'\n",
    "DASH": "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' type='static'"
    " mediaPresentationDuration='PT9S'><BaseURL>http://{closed}/</BaseURL><Period><AdaptationSet"
    " mimeType='video/mp4'><Representation id='1' bandwidth='9'><BaseURL>1.mp4</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>",
    "master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\nhttp://{closed}/live.m3u8\n",
    "SDP": f"v=0\no=- 0 0 IN IP4 {CLOSED}\ns=x\nc=IN IP4 {CLOSED}\nt=0 0\n" + "m=video {port} RTP/AVP 26\n",
    "ASX": "<asx version='3'><entry><ref href='http://{closed}/1.ts'/></entry></asx>",
    "SVG": "<svg xmlns='http://www.w3.org/2000/svg'><image href='http://{closed}/a' width='9'/></svg>",
    "entities": "<!DOCTYPE a [<!ENTITY b SYSTEM 'http://{closed}/a'>]><svg>&b;</svg>",
}


_CLOSED_PARTS = ("segment", "key", "map", "master")
"""Of lists: of web addresses it is said that they are closed, of all else that nothing can be read."""


def _redirects() -> Iterator[tuple[str, Try]]:
    """Give a way of each kind to the closed server, and the same to the open one."""
    for name, kind, path, words in (
        ("camera", "ffmpeg", "video", "closed"),
        ("picture", "image", "a.jpg", "redirects"),
        ("document", "pdf", "a.pdf", "redirects"),
        ("page", "website", "", "closed"),
        ("video site", "yt", "watch", ""),
        ("anything", None, "a.jpg", "closed"),
    ):
        yield f"{name} that is moved away", Try(kind, f"http://{{open}}/away/{path}", words)
        yield f"{name} that is moved here", Try(kind, f"http://{{open}}/round/{path}", shows=True)


def _lists() -> Iterator[tuple[str, Try]]:
    for name in lists():
        words = CAMERAS if name in _CLOSED_PARTS else ""
        if name != "twin":
            path = f"/list/{name.replace(' ', '-')}.m3u8"
            yield f"list with {name}", Try("ffmpeg", f"http://{{open}}{path}", words)


def _playlist(before: str, segment: str) -> str:
    lines = ("#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2", before, "#EXTINF:1.0,", segment)
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])

"""What stands at an address, as far as choosing a kind of view needs to know it."""

from enum import StrEnum


class Content(StrEnum):
    """Found by the first bytes that an address gives, never by how it is spelled.

    stream: speaks a protocol of cameras; video: a file, a playlist, or pictures without an end; video_page:
    the page of a site that yt-dlp knows; file: lies on this machine.
    """

    STREAM = "stream"
    VIDEO = "video"
    PICTURE = "picture"
    DOCUMENT = "document"
    PAGE = "page"
    VIDEO_PAGE = "video_page"
    FILE = "file"


FROM_CAMERAS = frozenset({Content.STREAM, Content.VIDEO})
"""What is watched at the addresses that are open to cameras alone."""

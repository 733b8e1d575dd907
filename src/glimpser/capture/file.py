"""Kind `file`: a video played at its own speed, a picture, or the newest of either in a folder."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from pydantic import Field

from glimpser.capture.configs import KindConfig, parse_config
from glimpser.capture.folder import Folder, PictureFile
from glimpser.capture.form_hints import shown
from glimpser.capture.ingest.containers import begins_video
from glimpser.capture.ingest.files import open_beneath, open_folder_beneath, place_of
from glimpser.capture.ingest.newest import heads
from glimpser.capture.pictures.headers import picture_header
from glimpser.capture.pictures.jpeg import SOI
from glimpser.capture.pictures.reader import PictureReader
from glimpser.core.clock import Clock
from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import MediaInput, Polled
from glimpser.core.sources import Source

_HEAD_BYTES = 64


class FileConfig(KindConfig):
    """A file and how it is played."""

    path: str = Field(
        title="Path",
        json_schema_extra=shown(placeholder="cameras/front-door"),
        description="A video, a picture, or a folder of either, below one of the allowed folders;"
        " a relative path is below the first of them.",
        min_length=1,
        max_length=4096,
    )
    loop: bool = Field(
        default=True, title="Play again and again", description="Begin a video anew at its end."
    )
    fps: float | None = Field(
        default=None,
        title="Rate",
        description="Play a video at this rate instead of its own.",
        json_schema_extra=shown(advanced=True, half=True, unit="per second", placeholder="Its own"),
        ge=0.01,  # a picture in 100 s; far less makes times that no number holds
        le=120,
    )
    interval_s: float = Field(
        default=5,
        title="Time between looks",
        description="At a picture or a folder.",
        json_schema_extra=shown(advanced=True, half=True, unit="s"),
        ge=1,
        le=86_400,
    )


def file_kind(roots: Sequence[Path], reader: PictureReader, *, clock: Clock) -> Kind:
    """Make the kind for files below `roots`."""

    def parse(config: Config) -> Config:
        checked = parse_config(FileConfig, config)
        place_of(checked.path, roots)
        return checked.model_dump(exclude_none=True)

    def feed(config: Config) -> MediaInput | Polled:
        file = parse_config(FileConfig, config)
        source: Source
        match _sort_of(file.path, roots):
            case _Sort.FOLDER:
                source = Folder(file.path, roots, reader, clock)
            case _Sort.PICTURE:
                source = PictureFile(file.path, roots, reader)
            case _Sort.RECORDINGS:
                return MediaInput(address=file.path, is_file=True, newest=True, loop=True, fps=file.fps)
            case _Sort.OTHER:
                return MediaInput(address=file.path, is_file=True, loop=file.loop, fps=file.fps)
        return Polled(source=source, key=f"file {file.model_dump_json()}", interval_s=file.interval_s)

    return Kind(
        name="file",
        title="File or folder",
        description="A video, a picture, or the newest in a folder, on this machine.",
        schema=FileConfig.model_json_schema(),
        parse=parse,
        feed=feed,
        shows=frozenset({Content.FILE}),
    )


class _Sort(Enum):
    FOLDER = "folder"
    RECORDINGS = "recordings"
    PICTURE = "picture"
    OTHER = "other"


def _sort_of(path: str, roots: Sequence[Path]) -> _Sort:
    """Look at what is there now, by its first bytes; what is not there is taken for a video to come."""
    try:
        with open_folder_beneath(path, roots) as folder:
            return _sort_of_folder(folder)
    except (InvalidInput, OSError):
        pass
    try:
        with open_beneath(path, roots) as file:
            head = file.read(_HEAD_BYTES)
    except (InvalidInput, OSError):
        return _Sort.OTHER
    return _Sort.PICTURE if _begins_picture(head) else _Sort.OTHER


def _sort_of_folder(folder: int) -> _Sort:
    """Go by the newest file that is either; a folder without any waits for pictures."""
    for _, head in heads(folder):
        if _begins_picture(head):
            return _Sort.FOLDER
        if begins_video(head):
            return _Sort.RECORDINGS
    return _Sort.FOLDER


def _begins_picture(head: bytes) -> bool:
    return head.startswith(SOI) or picture_header(head) is not None

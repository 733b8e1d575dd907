"""Kind `file`: a video file, played at its own speed."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from glimpser.capture.configs import KindConfig, parse_config
from glimpser.capture.ingest.files import place_of
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import MediaInput


class FileConfig(KindConfig):
    """A file and how it is played."""

    path: str = Field(
        title="Path",
        description="A video below one of the allowed folders; a relative path is below the first of them.",
        min_length=1,
        max_length=4096,
    )
    loop: bool = Field(default=True, title="Loop", description="Begin again at the end.")
    fps: float | None = Field(
        default=None,
        title="Pictures per second",
        description="Play at this rate instead of the file's own.",
        ge=0.01,  # a picture in 100 s; far less makes times that no number holds
        le=120,
    )


def file_kind(roots: Sequence[Path]) -> Kind:
    """Make the kind for files below `roots`."""

    def parse(config: Config) -> Config:
        checked = parse_config(FileConfig, config)
        place_of(checked.path, roots)
        return checked.model_dump(exclude_none=True)

    def feed(config: Config) -> MediaInput:
        file = parse_config(FileConfig, config)
        return MediaInput(address=file.path, is_file=True, loop=file.loop, fps=file.fps)

    return Kind(
        name="file",
        title="Video file",
        description="A video file on this machine, played at its own speed.",
        schema=FileConfig.model_json_schema(),
        parse=parse,
        feed=feed,
    )

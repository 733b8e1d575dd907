"""What tests of live views and of their recording stand on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from glimpser.core.ids import TemplateId
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import MediaInput, StreamMeasured
from glimpser.db import DatabaseSettings, migrate
from tests.contract.samples import settings_in


@dataclass
class Recorder:
    """Every metric the services give out, as they are given."""

    events: list[tuple[TemplateId, str]] = field(default_factory=list)
    measured: list[StreamMeasured] = field(default_factory=list)
    forgotten: list[TemplateId] = field(default_factory=list)
    counts: dict[TemplateId, int] = field(default_factory=dict)

    def event_recorded(self, template_id: TemplateId, kind: str) -> None:
        self.events.append((template_id, kind))

    def source_measured(self, measured: StreamMeasured) -> None:
        self.measured.append(measured)

    def forget(self, template_id: TemplateId) -> None:
        self.forgotten.append(template_id)

    def subscribers_changed(self, template_id: TemplateId, count: int) -> None:
        self.counts[template_id] = count

    def frame_dropped(self, template_id: TemplateId, consumer: str) -> None:
        pass


class NoQueue:
    """A queue of jobs nobody works on; `announced` holds the kinds."""

    def __init__(self) -> None:
        self.announced: list[str] = []

    def announce(self, kind: str) -> None:
        self.announced.append(kind)

    async def wait(self, kinds: Sequence[str], *, timeout_s: float) -> None:
        raise AssertionError("nobody waits here")


def new_database(directory: Path) -> DatabaseSettings:
    """Lay an empty database of this version into a folder; it is made once and then copied."""
    (directory / "glimpser.db").write_bytes(_empty_database())
    return settings_in(directory)


@cache
def _empty_database() -> bytes:
    with TemporaryDirectory() as folder:
        migrate(settings_in(Path(folder)))
        return (Path(folder) / "glimpser.db").read_bytes()


def _feed(config: Config) -> MediaInput:
    return MediaInput(address=str(config["url"]))


KIND = Kind(
    name="ffmpeg",
    title="Camera",
    description="A camera.",
    schema={},
    parse=lambda config: config,
    feed=_feed,
)

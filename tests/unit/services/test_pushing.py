"""Pictures that are sent to views."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from glimpser.capture.push import KIND as PUSHED
from glimpser.core.errors import Conflict, InvalidInput
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.kinds import Kind
from glimpser.core.live import MediaInput
from glimpser.core.sources import Shot
from glimpser.core.templates import Template, TemplateSettings
from glimpser.services.feeds import Feeds
from glimpser.services.pushing import Pushing
from glimpser.testing.clock import START, FakeClock

pytestmark = pytest.mark.anyio

SHOT = Shot(jpeg=b"jpeg", width=4, height=2)
CAMERA = Kind(
    name="camera",
    title="",
    description="",
    schema={},
    parse=lambda config: config,
    feed=lambda _config: MediaInput(address="rtsp://10.0.0.9/"),
)


class World:
    """Notes what happens, in order."""

    def __init__(self) -> None:
        self.happened: list[object] = []
        kinds: Mapping[str, Kind] = {kind.name: kind for kind in (PUSHED, CAMERA)}
        self.pushing = Pushing(Feeds(kinds, clock=FakeClock()), self, self, read=self.read)

    async def read(self, data: bytes) -> Shot:
        if data != b"picture":
            raise InvalidInput("This is no picture.")
        return SHOT

    async def offer(self, template_id: TemplateId, shot: Shot) -> None:
        self.happened.append(shot)

    @asynccontextmanager
    async def running(self, template: Template) -> AsyncIterator[None]:
        self.happened.append("runs")
        yield
        self.happened.append("may stop")


def a_template(kind: str) -> Template:
    settings = TemplateSettings(name="Gate", kind=kind, config={})
    return Template(id=TemplateId(new_id()), settings=settings, version=1, created_at=START, updated_at=START)


async def test_a_picture_is_shown_by_a_view_that_runs_meanwhile() -> None:
    world = World()

    await world.pushing.push(a_template("push"), b"picture")

    assert world.happened == ["runs", SHOT, "may stop"]


async def test_what_is_no_picture_starts_nothing() -> None:
    world = World()

    with pytest.raises(InvalidInput):
        await world.pushing.push(a_template("push"), b"<html>")

    assert not world.happened


async def test_a_view_of_another_kind_takes_nothing() -> None:
    world = World()

    with pytest.raises(Conflict, match="kind camera"):
        await world.pushing.push(a_template("camera"), b"picture")

    assert not world.happened


def test_silence_that_counts_is_configured() -> None:
    assert PUSHED.feed({"expect_every_s": 60}) != PUSHED.feed({})
    assert PUSHED.parse({}) == {}
    with pytest.raises(InvalidInput):
        PUSHED.parse({"expect_every_s": 0})

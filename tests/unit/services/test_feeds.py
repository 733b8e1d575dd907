from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import simplejpeg

from glimpser.core.health import HealthState, Verdict
from glimpser.core.kinds import Kind
from glimpser.core.live import Caption, MediaInput, Polled
from glimpser.core.motion import OFF, MotionSettings
from glimpser.core.sources import Shot, Source, ViewFailed
from glimpser.core.templates import Overlay, TemplateSettings
from glimpser.services.feeds import Feeds
from glimpser.testing.clock import FakeClock
from tests.contract.samples import template as a_template
from tests.unit.services.viewing import KIND

pytestmark = pytest.mark.anyio
EVERYTHING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
SETTINGS = TemplateSettings(name="Page", kind="page", config={"url": "https://example.org/"})
MASKED = replace(SETTINGS, privacy_masks=(EVERYTHING,))


def white() -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.full((90, 160, 3), 255, np.uint8), colorspace="BGR"))


SHOT = Shot(
    jpeg=white(), width=160, height=90, text="the secret", verdict=Verdict(HealthState.BLANK, "Empty.")
)


@dataclass
class Scripted:
    """A source that does what it is told."""

    act: Callable[[], Shot]

    async def snapshot(self) -> Shot:
        return self.act()


def feeds(act: Callable[[], Shot] = lambda: SHOT) -> Feeds:
    page = Kind(
        name="page",
        title="Page",
        description="A page.",
        schema={},
        parse=lambda config: config,
        feed=lambda config: Polled(source=Scripted(act), key=str(config["url"]), interval_s=5),
    )
    return Feeds({page.name: page, KIND.name: KIND}, clock=FakeClock())


def source_of(settings: TemplateSettings, act: Callable[[], Shot] = lambda: SHOT) -> Source:
    feed = feeds(act).of(settings)
    assert isinstance(feed, Polled)
    return feed.source


def brightest(jpeg: bytes) -> int:
    return int(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY").max())


async def test_a_picture_with_nothing_to_cover_is_passed_on_as_it_is() -> None:
    assert await source_of(SETTINGS).snapshot() is SHOT


async def test_what_is_private_leaves_the_source_covered_and_without_its_text() -> None:
    shot = await source_of(MASKED).snapshot()

    assert brightest(shot.jpeg) < 10
    assert shot.text is None
    assert (shot.width, shot.height, shot.verdict) == (160, 90, SHOT.verdict)


async def test_a_caption_alone_costs_no_text() -> None:
    shot = await source_of(replace(SETTINGS, overlay=Overlay(name=True))).snapshot()

    assert shot.text == "the secret"
    assert shot.jpeg != SHOT.jpeg


async def test_the_picture_of_a_failure_is_covered_too() -> None:
    def fail() -> Shot:
        raise ViewFailed("A sign-in stands before it.", 30, state=HealthState.BLOCKED, shot=SHOT)

    with pytest.raises(ViewFailed) as caught:
        await source_of(MASKED, fail).snapshot()

    assert caught.value.shot is not None
    assert brightest(caught.value.shot.jpeg) < 10
    assert caught.value.shot.text is None
    assert (caught.value.state, caught.value.retry_after_s) == (HealthState.BLOCKED, 30)


@pytest.mark.parametrize("failed", [False, True], ids=["picture", "failure"])
async def test_what_cannot_be_covered_is_not_shown(failed: bool) -> None:  # noqa: FBT001 (a case)
    broken = replace(SHOT, jpeg=b"\xff\xd8 not a picture")

    def act() -> Shot:
        if failed:
            raise ViewFailed("The page failed.", shot=broken)
        return broken

    with pytest.raises(ViewFailed) as caught:
        await source_of(MASKED, act).snapshot()

    assert caught.value.shot is None


async def test_a_failure_without_picture_is_passed_on() -> None:
    failure = ViewFailed("It does not answer.")

    def fail() -> Shot:
        raise failure

    with pytest.raises(ViewFailed) as caught:
        await source_of(MASKED, fail).snapshot()

    assert caught.value is failure


def test_feeds_differ_when_what_is_covered_or_written_differs() -> None:
    ours = feeds()
    other = replace(MASKED, privacy_masks=(EVERYTHING[:3],))
    named = replace(SETTINGS, overlay=Overlay(time=True))

    assert ours.of(MASKED) == ours.of(MASKED)
    assert len({str(ours.of(settings).key) for settings in (SETTINGS, MASKED, other, named)}) == 4  # type: ignore[union-attr]  # all are polled


def test_what_runs_a_view_is_told_what_to_cover_and_given_the_feed_as_it_is() -> None:
    spec = feeds().spec(replace(a_template(), settings=MASKED))

    assert isinstance(spec.feed, Polled)
    assert isinstance(spec.feed.source, Scripted)
    assert spec.privacy_masks == (EVERYTHING,)


def test_a_stream_is_covered_by_what_decodes_it() -> None:
    settings = TemplateSettings(
        name="Door",
        kind=KIND.name,
        config={"url": "rtsp://10.0.0.9/"},
        live=False,
        motion=MotionSettings(),
        privacy_masks=(EVERYTHING,),
        overlay=Overlay(name=True, time=True),
    )
    template = replace(a_template(), settings=settings)

    spec = feeds().spec(template)

    assert spec.feed == MediaInput(address="rtsp://10.0.0.9/")
    assert spec.privacy_masks == (EVERYTHING,)
    assert spec.caption == Caption(name="Door", time=True, timezone=None)
    assert spec.motion.detector == OFF


@pytest.mark.parametrize(
    ("own", "configured", "written"),
    [
        ("UTC", None, None),
        ("UTC", "UTC", "UTC"),
        ("UTC", "Europe/Berlin", "Europe/Berlin"),
        ("Asia/Tokyo", "Europe/Berlin", "Asia/Tokyo"),
    ],
    ids=["of the machine", "configured as UTC", "configured", "of the view"],
)
def test_the_clock_of_a_caption_is_that_of_the_view_then_of_the_configuration(
    own: str, configured: str | None, written: str | None
) -> None:
    settings = replace(MASKED, kind=KIND.name, timezone=own, overlay=Overlay(time=True))
    template = replace(a_template(), settings=settings)

    spec = Feeds({KIND.name: KIND}, clock=FakeClock(), timezone=configured).spec(template)

    assert spec.caption.timezone == written

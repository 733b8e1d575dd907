"""Which pages yt-dlp knows: its real list, asked in a process of its own, without any network."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from glimpser.capture.ytdlp.sites import VideoSites
from glimpser.core.errors import InvalidInput
from glimpser.observability.metrics import Metrics
from glimpser.process.command import TimedOut
from glimpser.process.runner import Runner, open_runner
from glimpser.testing.clock import FakeClock
from tests.unit.capture.ytdlp.answers import Answers

pytestmark = pytest.mark.anyio


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    async with open_runner(tmp_path / "run", clock=FakeClock(), recorder=Metrics("test")) as opened:
        yield opened


async def test_pages_of_videos_are_known_and_others_are_not(runner: Runner) -> None:
    sites = VideoSites(runner)

    assert await sites.knows("https://www.youtube.com/watch?v=aqz-KE-bpKQ")
    assert not await sites.knows("https://example.org/watch?v=aqz-KE-bpKQ")


async def test_an_address_is_never_an_option() -> None:
    answers = Answers()

    with pytest.raises(InvalidInput):
        await VideoSites(answers).knows("--exec=id")

    assert answers.commands == []


async def test_what_cannot_be_found_out_is_no_page_of_videos() -> None:
    assert not await VideoSites(Answers(error=TimedOut("It took too long."))).knows("https://example.org/")
    assert not await VideoSites(Answers(1, complaint="broken")).knows("https://example.org/")

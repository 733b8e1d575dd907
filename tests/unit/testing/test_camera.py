import asyncio
from itertools import islice, pairwise
from pathlib import Path

import pytest

from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.testing.camera import Clip, ClipUnit, FakeCamera, Player, load_clip
from glimpser.testing.clips import make_clip


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    make_clip(path, seconds=1, width=128, height=96, fps=10, gop=5)
    return path


def test_a_clip_is_read_as_annex_b_from_time_zero(clip_path: Path) -> None:
    clip = load_clip(clip_path)

    assert len(clip.units) == 10
    assert clip.duration_s == pytest.approx(1.0)
    assert [number for number, unit in enumerate(clip.units) if unit.key] == [0, 5]
    assert all(unit.data.startswith(b"\0\0") for unit in clip.units)
    assert [unit.dts_s for unit in clip.units] == pytest.approx([number / 10 for number in range(10)])


def test_times_go_on_across_the_seam(clip_path: Path) -> None:
    times = [unit.pts_s for unit in islice(load_clip(clip_path).forever(), 25)]

    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.1] * 24)


def test_what_holds_no_h264_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(b"no video" * 100)

    with pytest.raises(InvalidInput, match="cannot be read"):
        load_clip(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_clip(tmp_path / "missing.mp4")


class FakeTime:
    """Time that passes only while somebody sleeps, and runs out at its end."""

    def __init__(self, end_s: float) -> None:
        self.now_s = 100.0
        self.end_s = self.now_s + end_s

    def clock(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += max(0.0, seconds)
        if self.now_s > self.end_s:
            raise TimeoutError
        await asyncio.sleep(0)


CLIP = Clip(tuple(ClipUnit(bytes([n]), n / 10, n / 10 + 0.05, key=n == 0) for n in range(4)), 0.4)


@pytest.mark.anyio
async def test_a_player_sends_every_unit_when_it_is_due() -> None:
    time = FakeTime(1.0)
    sent: list[tuple[float, ClipUnit]] = []

    with pytest.raises(TimeoutError):
        await Player(CLIP, clock=time.clock, sleep=time.sleep).play(
            lambda unit: sent.append((time.now_s, unit))
        )

    assert [moment - 100 for moment, _ in sent] == pytest.approx([n / 10 for n in range(len(sent))])
    assert [unit.pts_s for _, unit in sent] == pytest.approx([n / 10 + 0.05 for n in range(len(sent))])
    assert [unit.data[0] for _, unit in sent] == [n % 4 for n in range(len(sent))]
    assert len(sent) >= 10


@pytest.mark.anyio
async def test_a_thawed_player_goes_on_with_the_next_unit_and_the_frozen_time_is_in_its_timestamps() -> None:
    time = FakeTime(100.0)
    player = Player(CLIP, clock=time.clock, sleep=time.sleep)
    sent: list[ClipUnit] = []

    def push(unit: ClipUnit) -> None:
        sent.append(unit)
        if len(sent) == 2:
            player.freeze()

    async with asyncio.TaskGroup() as group:
        playing = group.create_task(player.play(push))
        for _ in range(20):
            await asyncio.sleep(0)
        while_frozen = len(sent)
        time.now_s += 3.0
        player.thaw()
        for _ in range(40):
            await asyncio.sleep(0)
        playing.cancel()

    assert while_frozen == 2
    assert [unit.data[0] for unit in sent[:6]] == [0, 1, 2, 3, 0, 1]
    assert [unit.dts_s for unit in sent[:6]] == pytest.approx([0, 0.1, 3.2, 3.3, 3.4, 3.5])


def test_a_camera_that_does_not_run_cannot_be_steered() -> None:
    camera = FakeCamera(Path("clip.mp4"))

    with pytest.raises(Unavailable):
        camera.freeze()
    camera.kill()


def test_the_url_carries_the_login_in_a_form_that_players_read() -> None:
    camera = FakeCamera(Path("clip.mp4"), path="a/b", login=("ann", "p@ss:w/rd"))
    camera.port = 554

    assert camera.url == "rtsp://ann:p%40ss%3Aw%2Frd@127.0.0.1:554/a/b"
    assert camera.url_as(None) == "rtsp://127.0.0.1:554/a/b"

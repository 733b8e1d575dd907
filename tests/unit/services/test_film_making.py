"""Films of stored pictures, encoded by the real program and read back."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from av.codec.codec import UnknownCodecError

from glimpser.core.encoding import Still, VideoSpec
from glimpser.core.errors import Rejected
from glimpser.core.exports import ExportKind, FilmOptions
from glimpser.encoding import wire
from glimpser.encoding.encode_main import choose_encoder, encode
from glimpser.services.film_making import FilmMaking
from tests.contract.samples import START, at, capture, export
from tests.export_world import VIEW, ExportWorld, boxes, decoded, jpeg, open_exports

pytestmark = pytest.mark.anyio


class Pen:
    """A `VideoEncoder` that notes what it is to show, and makes nothing."""

    def __init__(self) -> None:
        self.stills: list[Still] = []

    @asynccontextmanager
    async def open(self, _spec: VideoSpec) -> AsyncIterator["Pen"]:
        yield self

    async def add(self, still: Still) -> None:
        self.stills.append(still)

    async def finish(self) -> None:
        return None


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ExportWorld]:
    async with open_exports(tmp_path) as opened:
        await opened.add_view(timezone="Europe/Berlin")
        yield opened


async def test_a_timelapse_has_the_length_that_was_asked_for(world: ExportWorld) -> None:
    await world.add_pictures(range(0, 3600, 30))

    made = await world.made("timelapse", length_s=2, fps=12)

    film = decoded(made.path)
    assert (film.codec, len(film.times_s), film.size) == ("h264", 24, (64, 48))
    assert film.duration_s == pytest.approx(2.0, abs=0.05)
    assert all(before < after for before, after in pairwise(film.times_s))
    assert all(before <= after + 2 for before, after in pairwise(film.shades))
    assert boxes(made.path).index("moov") < boxes(made.path).index("mdat")
    assert film.metadata["title"] == "Front door"
    assert VIEW in film.metadata["comment"]
    assert film.metadata["creation_time"].startswith("2025-03-30T00:59:59")
    assert made.result["pictures"] == 24
    assert (made.artifact.media_type, made.artifact.width) == ("video/mp4", 64)
    assert world.leftovers() == []


def pairs_around_the_darkest(shades: list[float]) -> tuple[float, float]:
    """Give the two shades between which it gets darker most."""
    return min(pairwise(shades), key=lambda pair: pair[1] - pair[0])


async def test_a_gap_is_said_for_a_second_and_does_not_fill_the_film(world: ExportWorld) -> None:
    await world.add_pictures([*range(0, 600, 10), *range(3000, 3600, 10)])

    made = await world.made("timelapse", length_s=10, fps=10)

    film = decoded(made.path)
    assert made.result["gaps"] == 1
    assert 4.0 < film.duration_s < 7.0  # forty minutes of the hour were not seen
    before, shown = pairs_around_the_darkest(film.shades)
    assert shown < before / 2  # the last picture before it, dimmed


async def test_few_pictures_are_held_so_that_time_is_even(world: ExportWorld) -> None:
    await world.add_pictures([0, 900, 1800, 2700])

    made = await world.made("timelapse", length_s=4, fps=10)

    assert (made.result["gaps"], made.result["pictures"]) == (0, 4)
    assert 35 <= len(decoded(made.path).times_s) <= 40


async def test_missing_and_damaged_pictures_are_left_out_and_counted(world: ExportWorld) -> None:
    await world.add_pictures(range(0, 50, 10))
    gone = await world.add_picture(51, jpeg(90))
    await world.store.delete(gone.uri)
    await world.add_picture(52, jpeg(90), stored=b"something else")
    await world.add_picture(53, b"\xff\xd8 no picture, though it is what was stored \xff\xd9")
    await world.add_picture(54, jpeg(90)[:300])
    await world.add_picture(55, jpeg(120))

    made = await world.made("video")

    assert {name: made.result[name] for name in ("pictures", "missing", "damaged")} == {
        "pictures": 6,
        "missing": 1,
        "damaged": 3,
    }
    assert len(decoded(made.path).times_s) == 6


async def test_a_video_keeps_the_true_pace_and_leaves_failed_captures_out(world: ExportWorld) -> None:
    await world.add_pictures([0, 1, 2.5, 10])
    wrong = await world.add_picture(5, jpeg(250))
    failed = capture(5, template_id=VIEW, status="failure", artifact_id=wrong.id)
    await world.database.write(lambda tx: tx.captures.add(failed))

    made = await world.made("video")

    assert decoded(made.path).times_s == pytest.approx([0, 1, 2.5, 10], abs=0.002)


async def test_pictures_of_another_shape_get_black_bars(world: ExportWorld) -> None:
    await world.add_picture(0, jpeg(200, 160, 90))
    await world.add_picture(1, jpeg(200, 40, 120))

    film = decoded((await world.made("video", show_time=False)).path)

    assert film.size == (160, 90)
    assert film.last[:, :40].mean() < 20
    assert film.last[:, 75:85].mean() > 180


@pytest.mark.parametrize(
    ("own", "written"), [("UTC", "2025-03-30 10:00:00 JST"), ("Europe/Berlin", "2025-03-30 03:00:00 CEST")]
)
@pytest.mark.parametrize("kind", ["timelapse", "video", "teaser"])
async def test_times_are_on_the_clock_of_the_view_else_on_that_of_captions(
    tmp_path: Path, kind: ExportKind, own: str, written: str
) -> None:
    async with open_exports(tmp_path) as world:
        await world.add_view(timezone=own, groups=("street",))
        await world.add_pictures([1])
        pen = Pen()
        films = FilmMaking(world.database, world.store, pen, timezone="Asia/Tokyo")
        subject: dict[str, Any] = (
            {"template_id": None, "group": "street", "timezone": "UTC"}
            if kind == "teaser"
            else {"template_id": VIEW, "timezone": own}
        )
        wanted = export(kind=kind, start=at(0), end=at(9), options=FilmOptions(), **subject)

        with pytest.raises(Rejected):  # it only looks
            await films.make(wanted, "key", world.told)

    assert [still.caption.removeprefix("Front door  ") for still in pen.stills] == [written]


@pytest.mark.parametrize("kind", ["timelapse", "video", "zip"])
async def test_a_time_without_pictures_fails_and_says_so(world: ExportWorld, kind: ExportKind) -> None:
    await world.add_pictures([7200])

    with pytest.raises(Rejected, match="No pictures of Front door are kept from 2025-03-30"):
        await world.made(kind)

    assert await world.keys() == []
    assert world.leftovers() == []


async def test_the_picture_of_a_moment_alone_is_a_second_long(world: ExportWorld) -> None:
    await world.add_pictures([100])

    assert decoded((await world.made("timelapse", length_s=30, fps=10)).path).duration_s == 1.0


def test_another_encoder_serves_where_there_is_none_for_h264() -> None:
    def without(name: str) -> None:
        raise UnknownCodecError(1, name)

    assert choose_encoder() == "libx264"
    assert choose_encoder(without) == "mpeg4"


async def test_the_fallback_makes_a_film_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    spec = VideoSpec(title="t", comment="c", created_at=START, ticks_per_s=5, fps=5)
    told = [wire.pack(wire.spec_head(spec, str(path)))]
    told += [
        wire.pack(wire.still_head(Still(jpeg=b"", at=number)), jpeg(50 + number)) for number in range(10)
    ]

    result = encode(io.BytesIO(b"".join([*told, wire.pack(wire.END)])), "mpeg4")

    assert result is not None
    assert (result["frames"], result["codec"]) == (10, "mpeg4")
    assert len(decoded(path).times_s) == 10


async def test_a_pipe_that_closes_early_is_a_wish_withdrawn() -> None:
    assert encode(io.BytesIO(b""), "mpeg4") is None

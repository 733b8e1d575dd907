"""Films of stored pictures, encoded by the real program and read back."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.export_world import VIEW, ExportWorld, boxes, decoded, open_exports

pytestmark = pytest.mark.anyio


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

import time
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from glimpser.core.live import Caption
from glimpser.streaming import caption

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def gray(width: int, height: int, level: int = 128) -> NDArray[np.uint8]:
    return np.full((height, width), level, np.uint8)


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (Caption(), ""),
        (Caption(name="Door"), "Door"),
        (Caption(time=True), "2026-03-01 12:00:05 UTC"),
        (Caption(name="Door", time=True), "Door  2026-03-01 12:00:05 UTC"),
        (Caption(time=True, timezone="Europe/Berlin"), "2026-03-01 13:00:05 CET"),
        (Caption(time=True, timezone="Asia/Kathmandu"), "2026-03-01 17:45:05 +0545"),
    ],
    ids=["nothing", "name", "time", "both", "zone", "zone-without-letters"],
)
def test_the_line_says_what_is_wanted(wanted: Caption, line: str) -> None:
    assert caption.text_of(wanted, NOON) == line


def test_summer_time_is_that_of_the_picture() -> None:
    july = NOON.replace(month=7)

    assert caption.text_of(Caption(time=True, timezone="Europe/Berlin"), july) == "2026-07-01 14:00:05 CEST"


def test_without_a_zone_it_is_the_time_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XYZ-3")
        time.tzset()
        line = caption.text_of(Caption(time=True, timezone=None), NOON)
    time.tzset()

    assert line == "2026-03-01 15:00:05 XYZ"


@pytest.mark.parametrize("width", [320, 640, 1280, 1920])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_it_can_be_read_on_any_picture_in_any_width(width: int, level: int) -> None:
    picture = gray(width, width * 9 // 16, level)

    box = caption.write(picture, "Front door  2026-03-01 12:00:05 UTC")

    written = picture[: box.height, : box.width]
    assert written.min() <= 16
    assert written.max() >= 235
    assert box.height >= 12
    assert (picture[box.height :] == level).all()
    assert (picture[:, box.width :] == level).all()


def test_nothing_is_written_without_a_line() -> None:
    picture = gray(320, 180)

    assert caption.write(picture, "") == caption.NOTHING
    assert (picture == 128).all()


def test_a_line_that_is_too_long_stays_inside() -> None:
    picture = gray(320, 180)

    box = caption.write(picture, "A very long name of a view " * 40)

    assert box.width <= 320
    assert box.height < 40


@pytest.mark.parametrize("size", [(2, 2), (16, 8), (4, 400)], ids=str)
def test_a_picture_with_no_room_is_no_error(size: tuple[int, int]) -> None:
    box = caption.write(gray(*size), "Front door")

    assert box.width <= size[0]
    assert box.height <= size[1]


def test_accents_are_left_off_and_other_letters_marked() -> None:
    plain, accented, marked = (gray(640, 360) for _ in range(3))

    caption.write(plain, "Kuche ??")
    caption.write(accented, "Küche ??")
    caption.write(marked, "Küche 厨房")

    assert (plain == accented).all()
    assert (plain == marked).all()


def test_a_colour_picture_takes_it_too() -> None:
    picture = np.full((180, 320, 3), 90, np.uint8)

    box = caption.write(picture, "Door")

    inside = picture[: box.height, : box.width]
    assert (inside[..., 0] == inside[..., 2]).all()
    assert inside.max() > 200

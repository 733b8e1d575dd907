from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import pytest

from glimpser.core.frames import NATIVE_WIDTH, Frame, shared_width
from glimpser.core.ids import TemplateId


@pytest.mark.parametrize(
    ("wanted_px", "shared_px"),
    [(1, 320), (320, 320), (321, 640), (640, 640), (641, 1280), (1280, 1280), (1281, NATIVE_WIDTH)],
)
def test_a_wanted_width_is_rounded_up_so_that_viewers_share_pictures(wanted_px: int, shared_px: int) -> None:
    assert shared_width(wanted_px) == shared_px


@pytest.mark.parametrize("wanted_px", [None, 0, 10**9], ids=["none", "native", "huge"])
def test_everything_else_gives_the_width_of_the_source(wanted_px: int | None) -> None:
    assert shared_width(wanted_px) == NATIVE_WIDTH


def test_a_frame_cannot_be_changed_by_those_who_share_it() -> None:
    frame = _frame()

    with pytest.raises(FrozenInstanceError):
        frame.sequence = 2  # type: ignore[misc]  # the point of the test


def test_the_words_for_a_frame_leave_its_picture_out() -> None:
    assert "jpeg" not in repr(_frame())


def _frame() -> Frame:
    return Frame(
        template_id=TemplateId("t"),
        sequence=1,
        captured_at=datetime(2026, 1, 1, tzinfo=UTC),
        jpeg=b"\xff\xd8" * 1000,
        width=640,
        height=360,
    )

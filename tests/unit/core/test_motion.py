import math

import pytest

from glimpser.core.errors import InvalidInput
from glimpser.core.motion import STILL, Box, Motion, MotionSettings, Polygon, check_polygon

TRIANGLE: Polygon = ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))


@pytest.mark.parametrize("field", ["sensitivity", "threshold"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf])
def test_settings_outside_0_to_1_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(InvalidInput) as refused:
        MotionSettings(**{field: value})  # type: ignore[arg-type]  # mypy takes the value for any field's

    assert [error.pointer for error in refused.value.errors] == [f"/{field}"]


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_settings_from_0_to_1_are_taken(value: float) -> None:
    settings = MotionSettings(sensitivity=value, threshold=value)

    assert (settings.sensitivity, settings.threshold) == (value, value)


def test_more_sensitive_tolerates_less() -> None:
    scales = [MotionSettings(sensitivity=step / 10).tolerance_scale for step in range(11)]

    assert scales == sorted(scales, reverse=True)
    assert (scales[0], scales[5], scales[10]) == (2.0, 1.0, 0.5)


def test_only_the_off_detector_needs_no_frames() -> None:
    assert not MotionSettings(detector="off").enabled
    assert MotionSettings().enabled


def test_motion_is_true_when_something_moved_whatever_its_score() -> None:
    assert not STILL
    assert not Motion(score=0.9, boxes=())
    assert Motion(score=0.0, boxes=(Box(x=0, y=0, width=0.1, height=0.1),))


@pytest.mark.parametrize(
    ("polygon", "pointer"),
    [
        (TRIANGLE[:2], "/zones/3"),
        ((*TRIANGLE, (0.5, 1.5)), "/zones/3/3"),
        ((*TRIANGLE, (math.nan, 0.5)), "/zones/3/3"),
    ],
)
def test_a_polygon_of_no_area_or_outside_is_refused_by_name(polygon: Polygon, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_polygon(polygon, "/zones/3")

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_polygon_inside_the_picture_is_taken() -> None:
    check_polygon(TRIANGLE)

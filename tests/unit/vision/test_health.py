"""Verdicts on the pictures of a view, on drawn scenes, one look a second."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count

import cv2
import numpy as np
import pytest
from cv2.typing import MatLike
from numpy.typing import NDArray

from glimpser.core.health import HealthState, Verdict
from glimpser.core.motion import Polygon
from glimpser.vision.health import HealthWatch, health_watch_for
from glimpser.vision.health.lasting import Lasting
from glimpser.vision.health.watch import FROZEN_S, SETTLED_S
from tests.scenes import FPS, HEIGHT, WIDTH, Disturbance, draw_room, make_scene, shifted

Gray = NDArray[np.uint8]
Change = Callable[[MatLike], MatLike]

LEARNING_S = 45
SEEDS = (1, 2, 3)


@cache
def noise(number: int) -> MatLike:
    return np.random.default_rng(number).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)


def sensed(scene: MatLike, number: int, sigma: float = 1.6) -> Gray:
    """The scene as a sensor sees it, with noise of its own in every picture."""
    return np.clip(scene + noise(number % 16) * sigma, 0, 255).astype(np.uint8)


def room(seed: int) -> MatLike:
    return draw_room(np.random.default_rng(seed))


class View:
    """A view that is looked at once a second."""

    def __init__(self, watch: HealthWatch | None = None) -> None:
        self.watch = watch or HealthWatch()
        self.state = HealthState.OK
        self.seen: list[HealthState] = []
        self._seconds = count()

    def show(self, picture: Gray) -> None:
        verdict = self.watch.look(picture, float(next(self._seconds)))
        if verdict is not None:
            self.state = verdict.state
            self.seen.append(verdict.state)

    def watches(self, scene: MatLike, seconds: float, *, sigma: float = 1.6) -> HealthState:
        for number in range(int(seconds)):
            self.show(sensed(scene, number, sigma))
        return self.state


def learned(seed: int, watch: HealthWatch | None = None) -> View:
    view = View(watch)
    view.watches(room(seed), LEARNING_S)
    assert view.seen == []
    return view


# Well


@pytest.mark.parametrize("disturbance", list(Disturbance))
def test_nothing_that_happens_in_a_view_is_taken_for_a_fault_of_it(disturbance: Disturbance) -> None:
    view = View()
    for number in range(9):  # at first it is learned
        for picture in make_scene(disturbance, seed=1, things=number > 2).frames[::FPS]:
            view.show(picture)

    assert view.seen == []


LIGHT: dict[str, Change] = {
    "dimmed": lambda scene: scene * 0.4,
    "evening": lambda scene: scene * 0.2,
    "overexposed": lambda scene: scene * 1.5,
    "infrared": lambda scene: (255 - scene) * 0.5,
    "fog": lambda scene: scene * 0.4 + 100,
    "low sun": lambda scene: scene * np.linspace(0.4, 1.4, WIDTH, dtype=np.float32),
    "shadow": lambda scene: _shaded(scene),  # noqa: PLW0108  # defined below
    "headlights": lambda scene: scene * 0.25 + _glow(),
    "dark": lambda scene: scene * 0.1,
}


@pytest.mark.parametrize("light", LIGHT)
@pytest.mark.parametrize("seed", SEEDS)
def test_other_light_is_no_fault(light: str, seed: int) -> None:
    view = learned(seed)

    view.watches(LIGHT[light](room(seed)), 60, sigma=3)
    view.watches(room(seed), 20)

    assert view.seen == []


def test_a_still_night_is_neither_frozen_nor_blank() -> None:
    night = room(1) * 0.35 + 10

    assert View().watches(night, 300, sigma=4) is HealthState.OK


def test_dusk_is_followed_step_by_step() -> None:
    view = learned(2)

    for gain in np.linspace(1, 0.12, 60):
        view.watches(room(2) * float(gain), 10, sigma=2)
    for gain in np.linspace(0.12, 1, 20):
        view.watches(room(2) * float(gain), 10, sigma=2)

    assert view.seen == []


def test_something_large_that_passes_is_no_fault() -> None:
    view = learned(1)
    for left in range(-250, WIDTH, 40):
        picture = room(1)
        picture[20:170, max(0, left) : max(0, left + 250)] = 180
        view.show(sensed(picture, left % 16))

    assert view.seen == []


# Frozen


def test_a_picture_that_never_changes_is_frozen_after_a_minute_until_it_moves() -> None:
    view = View()
    picture = sensed(room(1), 0)

    for _ in range(int(FROZEN_S)):
        view.show(picture)
    before = list(view.seen)
    for _ in range(5):
        view.show(picture)
    view.show(sensed(room(1), 1))

    assert before == []
    assert view.seen == [HealthState.FROZEN, HealthState.OK]


def test_a_camera_that_repeats_pictures_for_some_seconds_is_not_frozen() -> None:
    view = View()
    for number in range(40):
        for _ in range(12):
            view.show(sensed(room(1), number))

    assert view.seen == []


def test_a_clip_that_is_played_again_and_again_is_not_frozen() -> None:
    scene = make_scene(Disturbance.STATIC_NOISE, seed=1, things=False)
    view = View()
    for _ in range(60):
        for picture in scene.frames[: 3 * FPS : FPS]:
            view.show(picture)

    assert view.seen == []


def test_two_looks_far_apart_say_nothing_of_the_time_between() -> None:
    watch, picture = HealthWatch(), sensed(room(1), 0)

    verdicts = [watch.look(picture, at_s) for at_s in (0.0, 600.0, 1200.0)]

    assert verdicts == [None, None, None]


# Blank


@pytest.mark.parametrize("level", [0, 16, 128, 255])
@pytest.mark.parametrize("sigma", [0.0, 1.6, 6.0])
def test_a_picture_of_one_colour_is_blank(level: int, sigma: float) -> None:
    view = learned(1)

    view.watches(np.full((HEIGHT, WIDTH), level, np.float32), 20, sigma=sigma)
    view.watches(room(1), 10)

    assert view.seen == [HealthState.BLANK, HealthState.OK]


def test_a_view_that_was_never_anything_but_blank_is_blank() -> None:
    assert View().watches(np.full((HEIGHT, WIDTH), 30, np.float32), 20) is HealthState.BLANK


def test_a_lamp_in_the_dark_is_something() -> None:
    dark = np.full((HEIGHT, WIDTH), 12, np.float32)
    dark[80:92, 100:112] = 200

    assert View().watches(dark, 60, sigma=3) is HealthState.OK


def test_a_view_at_the_edge_of_blank_does_not_waver() -> None:
    view = View()
    gradient = np.repeat(np.linspace(0, 1, WIDTH, dtype=np.float32)[None], HEIGHT, axis=0)
    for number in range(120):
        view.show(sensed(60 + gradient * (6 if number % 12 < 6 else 9.5), number, 0.5))

    assert view.seen == [HealthState.BLANK]


def test_a_short_black_picture_is_no_fault() -> None:
    view = learned(1)

    view.watches(np.zeros((HEIGHT, WIDTH), np.float32), 4)
    view.watches(room(1), 30)

    assert view.seen == []


# Moved and covered


def _rotated(scene: MatLike, degrees: float, zoom: float = 1.0) -> MatLike:
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, zoom)
    return cv2.warpAffine(scene, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)


def _cloth() -> MatLike:
    coarse = np.random.default_rng(50).normal(90, 15, (20, 36)).astype(np.float32)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def _shaded(scene: MatLike) -> MatLike:
    shade = np.ones_like(scene)
    cv2.fillPoly(shade, [np.array([[0, 0], [200, 0], [120, HEIGHT], [0, HEIGHT]])], 0.5)
    return scene * shade


def _glow() -> MatLike:
    down, across = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    return np.asarray(200 * np.exp(-((across - 100) ** 2 + (down - 60) ** 2) / 800))


def _partly(scene: MatLike, share: float) -> MatLike:
    covered = scene.copy()
    covered[:, : int(WIDTH * share)] = 60
    return covered


FAULTS: dict[str, Change] = {
    "turned by a tenth": lambda scene: shifted(scene, 34, 0),
    "turned aside and down": lambda scene: shifted(scene, 20, 15),
    "rotated": lambda scene: _rotated(scene, 12),
    "zoomed": lambda scene: _rotated(scene, 0, 1.3),
    "other view": lambda _scene: room(99),
    "covered by paper": lambda _scene: np.repeat(
        np.linspace(150, 190, WIDTH, dtype=np.float32)[None], HEIGHT, axis=0
    ),
    "covered by cloth": lambda _scene: _cloth(),
    "mostly covered": lambda scene: _partly(scene, 0.7),
    "out of focus": lambda scene: cv2.GaussianBlur(scene, (0, 0), 8),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_camera_that_was_turned_covered_or_put_out_of_focus_is_told_of(fault: str, seed: int) -> None:
    view = learned(seed)

    view.watches(FAULTS[fault](room(seed)), 40)
    view.watches(room(seed), 20)

    assert view.seen == [HealthState.MOVED, HealthState.OK]


@pytest.mark.parametrize("pixels", [2, 4, 7])
def test_a_camera_that_sways_a_little_was_not_moved(pixels: int) -> None:
    view = learned(1)

    for offset in (pixels, -pixels, 0):
        view.watches(shifted(room(1), offset, 0), 40)

    assert view.seen == []


def test_what_a_view_shows_for_an_hour_is_taken_for_normal() -> None:
    view = learned(1)

    view.watches(room(99), 60)
    moved = view.state
    view.watches(room(99), SETTLED_S)
    settled = view.state
    view.watches(room(1), 60)

    assert (moved, settled, view.state) == (HealthState.MOVED, HealthState.OK, HealthState.MOVED)


# Streams that begin anew, and privacy masks


def test_a_new_stream_begins_well_and_is_judged_again() -> None:
    view = learned(1)
    view.watches(room(99), 40)

    view.watch.restart()
    again = [view.watch.look(sensed(room(99), number), 100.0 + number) for number in range(40)]

    told = [verdict for verdict in again if verdict]
    assert [verdict.state for verdict in told] == [HealthState.MOVED]


RIGHT: Polygon = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
EVERYTHING: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def _masked(scene: MatLike) -> MatLike:
    covered = scene.copy()
    covered[:, WIDTH // 2 :] = -1000
    return covered


@pytest.mark.parametrize(
    ("shown", "state"),
    [(room(1), "ok"), (room(99), "moved"), (np.full((HEIGHT, WIDTH), 90, np.float32), "blank")],
    ids=["same", "other view", "blank"],
)
def test_beside_a_mask_a_view_is_judged_by_what_can_be_seen(shown: MatLike, state: str) -> None:
    view = View(health_watch_for((RIGHT,)))
    view.watches(_masked(room(1)), LEARNING_S)

    assert view.watches(_masked(shown), 40) == state


def test_of_a_view_that_is_masked_all_over_nothing_is_said() -> None:
    view = View(health_watch_for((EVERYTHING,)))

    view.watches(np.full((HEIGHT, WIDTH), 16, np.float32), 200, sigma=0)

    assert view.seen == []


# Conditions that last


def looks(lasting: Lasting, said: str) -> Iterator[str]:
    for second, word in enumerate(said):
        condition = {"y": True, "n": False, "?": None}[word]
        yield "Y" if lasting.update(condition, second) else "-"


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ("yyyyyyy", "---YYYY"),
        ("yynyyyyy", "------YY"),
        ("yy?yyyyy", "------YY"),
        ("yyyynnn", "---YYY-"),
        ("yyyynyn", "---YYYY"),
        ("nnnnn", "-----"),
    ],
)
def test_a_condition_begins_and_ends_when_it_lasts(said: str, holds: str) -> None:
    assert "".join(looks(Lasting(3.0, 2.0), said)) == holds


def test_a_verdict_has_a_sentence_for_people() -> None:
    view = View()
    verdict: Verdict | None = None
    for number in range(10):
        verdict = verdict or view.watch.look(np.zeros((HEIGHT, WIDTH), np.uint8), float(number))

    assert verdict is not None
    assert verdict.reason is not None
    assert verdict.reason.endswith(".")

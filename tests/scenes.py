"""Synthetic views with known motion: nine kinds of disturbance, each with and without things passing through.

Pictures are 320x180 gray at five a second, drawn from a seed: a textured room, a disturbance, moving things,
sensor noise, and the blocks a video codec leaves. Nothing is recorded footage.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.random import Generator
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 320, 180, 5
WARM_UP_FRAMES = 30
FRAMES = 180
PAUSE_FRAMES = 16
"""Shortest time between two things, more than two seconds: each is an activity of its own."""

BLOCK_PX = 8
GOP_FRAMES = 10
NOISE_FIELDS = 12


class Disturbance(StrEnum):
    STATIC_NOISE = "static noise"
    NIGHT_NOISE = "night noise"
    GRADUAL_LIGHT = "gradual light"
    LIGHT_SWITCH = "light switch"
    RAIN = "rain"
    CAMERA_SHAKE = "camera shake"
    SMALL_SLOW = "small slow object"
    FAST = "fast object"
    FOLIAGE = "foliage"


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing's passage. Frames `first` to `last` show at least half of it."""

    first: int
    last: int

    def overlaps(self, first: int, last: int) -> bool:
        return self.first <= last and first <= self.last


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A view with its truth. `moving[i]`: 1 something moves in frame i, 0 nothing, -1 not to be judged."""

    frames: Sequence[NDArray[np.uint8]]
    moving: NDArray[np.int8]
    activities: Sequence[Activity]


@dataclass(frozen=True, slots=True, eq=False)
class _Thing:
    """A textured rectangle that crosses the picture, or part of it, at constant speed."""

    texture: MatLike
    first_frame: int
    frames: int
    left: float
    top: int
    speed_px: float

    def left_at(self, index: int) -> float:
        return self.left + self.speed_px * (index - self.first_frame)

    def visible_at(self, index: int) -> float:
        """Share of its width inside the picture, 0 before it comes and after it has gone."""
        if not self.first_frame <= index < self.first_frame + self.frames:
            return 0.0
        left, width = self.left_at(index), int(self.texture.shape[1])
        return max(0.0, float(min(left + width, WIDTH) - max(left, 0.0)) / width)


def make_scene(disturbance: Disturbance, *, seed: int, things: bool) -> Scene:
    """Draw a view. A small slow or fast thing is its own disturbance: without things such a view is quiet."""
    rng = np.random.default_rng((seed, list(Disturbance).index(disturbance)))
    room = draw_room(rng)
    if disturbance is Disturbance.NIGHT_NOISE:
        room = room * 0.35 + 10
    passages = list(_passages(disturbance, rng, room)) if things else []
    disturb = _Disturber(disturbance, room, rng)
    frames = [disturb.picture(index, passages) for index in range(FRAMES)]
    return Scene(frames, _truth(passages), [_activity(thing) for thing in passages])


def draw_room(rng: Generator) -> MatLike:
    """Walls with a gradient, furniture with edges, and texture of three sizes; float32 gray levels."""
    across = np.linspace(90, 150, WIDTH, dtype=np.float32)
    room = np.repeat(across[None, :], HEIGHT, axis=0)
    room[120:] -= 35
    for _ in range(14):
        x, y = int(rng.integers(0, WIDTH - 20)), int(rng.integers(0, HEIGHT - 20))
        width, height = (int(value) for value in rng.integers(12, 70, 2))
        room[y : y + height, x : x + width] += float(rng.uniform(-45, 45))
    for cell_px, strength in ((40, 10.0), (10, 6.0), (3, 4.0)):
        room += _noise_texture(rng, (WIDTH, HEIGHT), cell_px=cell_px, strength=strength)
    return np.clip(cv2.GaussianBlur(room, (3, 3), 0), 15, 235)


def _noise_texture(rng: Generator, size: tuple[int, int], *, cell_px: int, strength: float) -> MatLike:
    width, height = size
    coarse = rng.normal(0, strength, (max(2, height // cell_px), max(2, width // cell_px))).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


def _passages(disturbance: Disturbance, rng: Generator, room: MatLike) -> Iterator[_Thing]:
    start = WARM_UP_FRAMES + int(rng.integers(8, 18))
    while start < FRAMES - 40:
        thing = _thing(disturbance, rng, room=room, start=start)
        yield thing
        start += thing.frames + PAUSE_FRAMES + int(rng.integers(0, 12))


def _thing(disturbance: Disturbance, rng: Generator, *, room: MatLike, start: int) -> _Thing:
    width, height = int(rng.integers(12, 24)), int(rng.integers(25, 50))
    speed_px = float(rng.uniform(8, 16))
    left, frames = -float(width), int(np.ceil((WIDTH + width) / speed_px))
    if disturbance is Disturbance.SMALL_SLOW:
        width = height = 6
        speed_px, frames, left = float(rng.uniform(0.7, 1.2)), 35, float(rng.integers(60, WIDTH - 120))
    elif disturbance is Disturbance.FAST:
        width = height = 20
        speed_px = float(rng.uniform(60, 80))
        left, frames = -20.0, int(np.ceil((WIDTH + 20) / speed_px))
    top = int(rng.integers(20, HEIGHT - height - 8))
    if rng.random() < 0.5:
        left, speed_px = WIDTH - width - left, -speed_px
    reach = sorted((left, left + speed_px * frames))
    behind = room[top : top + height, max(0, int(reach[0])) : int(reach[1]) + width]
    contrast = float(rng.choice((-1.0, 1.0)) * rng.uniform(35, 60))
    if disturbance is Disturbance.NIGHT_NOISE:
        contrast = abs(contrast) * 0.8  # a dark thing in the dark is nothing anybody sees
    texture = _noise_texture(rng, (width, height), cell_px=4, strength=12.0)
    return _Thing(texture + float(behind.mean()) + contrast, start, frames, left, top, speed_px)


def _activity(thing: _Thing) -> Activity:
    shown = range(thing.first_frame, thing.first_frame + thing.frames)
    clear = [index for index in shown if thing.visible_at(index) >= 0.5]
    return Activity(clear[0], clear[-1])


def _truth(things: Sequence[_Thing]) -> NDArray[np.int8]:
    moving = np.zeros(FRAMES, np.int8)
    for thing in things:
        end = thing.first_frame + thing.frames
        moving[thing.first_frame - 1 : end + 2] = -1  # half shown, or just gone: either answer is right
        for index in range(thing.first_frame, end):
            if thing.visible_at(index) >= 0.5:
                moving[index] = 1
    moving[:WARM_UP_FRAMES] = -1
    return moving


class _Disturber:
    """Draws the frames of one view in order."""

    def __init__(self, disturbance: Disturbance, room: MatLike, rng: Generator) -> None:
        self._disturbance = disturbance
        self._room = room
        self._rng = rng
        self._gain = _gains(disturbance, rng)
        self._sigma = {Disturbance.NIGHT_NOISE: 6.0, Disturbance.RAIN: 3.0}.get(disturbance, 1.6)
        self._leaves = room + _noise_texture(rng, (WIDTH, HEIGHT), cell_px=4, strength=22.0)
        self._jitter = np.zeros(2)
        self._blocks = self._codec_blocks()
        self._noise = rng.standard_normal((NOISE_FIELDS, HEIGHT, WIDTH), np.float32) * self._sigma

    def picture(self, index: int, things: Sequence[_Thing]) -> NDArray[np.uint8]:
        picture = self._foliage(index) if self._disturbance is Disturbance.FOLIAGE else self._room.copy()
        for thing in things:
            if thing.visible_at(index) > 0:
                _draw(picture, thing, index)
        picture *= self._gain[index]
        if self._disturbance is Disturbance.RAIN:
            self._rain(picture)
        if self._disturbance is Disturbance.CAMERA_SHAKE:
            picture = self._shaken(picture, index)
        return self._coded(picture, index)

    def _foliage(self, index: int) -> MatLike:
        phase = 2 * np.pi * index / 11.5
        right = 2.5 * np.sin(phase) + self._rng.normal(0, 0.35)
        swaying = shifted(self._leaves, right, float(np.cos(phase * 1.3)))
        picture = self._room.copy()
        picture[10:85, 200:300] = swaying[10:85, 200:300]
        return picture

    def _rain(self, picture: MatLike) -> None:
        for _ in range(int(self._rng.integers(40, 80))):
            x, y = int(self._rng.integers(0, WIDTH)), int(self._rng.integers(0, HEIGHT))
            length = int(self._rng.integers(4, 13))
            cv2.line(picture, (x, y), (x + 1, y + length), float(self._rng.uniform(150, 200)), 1)

    def _shaken(self, picture: MatLike, index: int) -> MatLike:
        gusty = (index // 12) % 2 == 0
        self._jitter = 0.5 * self._jitter + self._rng.normal(0, 0.9, 2) if gusty else np.zeros(2)
        return shifted(picture, float(self._jitter[0]), float(self._jitter[1]))

    def _coded(self, picture: MatLike, index: int) -> NDArray[np.uint8]:
        if index % GOP_FRAMES == 0:
            self._blocks = self._codec_blocks()
        coded = picture + self._blocks + self._sensor_noise()
        gray: NDArray[np.uint8] = np.clip(coded, 0, 255).astype(np.uint8)
        return gray

    def _sensor_noise(self) -> MatLike:
        """One of a few fields, turned one of four ways: drawing it anew would cost more than all the rest."""
        field, across, down = self._rng.integers(0, (NOISE_FIELDS, 2, 2))
        noise: MatLike = self._noise[field, :: 1 - 2 * int(down), :: 1 - 2 * int(across)]
        return noise

    def _codec_blocks(self) -> MatLike:
        """Every key frame quantises its blocks anew: small steps, constant within a block."""
        coarse = self._rng.normal(0, 0.8, (HEIGHT // BLOCK_PX + 1, WIDTH // BLOCK_PX)).astype(np.float32)
        blocks = cv2.resize(coarse, None, fx=BLOCK_PX, fy=BLOCK_PX, interpolation=cv2.INTER_NEAREST)
        return blocks[:HEIGHT, :WIDTH]


def _gains(disturbance: Disturbance, rng: Generator) -> NDArray[np.float32]:
    """The light's strength in every frame."""
    gains = np.ones(FRAMES, np.float32)
    if disturbance is Disturbance.GRADUAL_LIGHT:  # dusk and dawn in 25 s, clouds of 4 s
        gains -= 0.35 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAMES, dtype=np.float32) / 125))
        for start in range(40, FRAMES - 20, 38):
            gains[start : start + 20] *= 1 - 0.12 * np.sin(np.pi * np.arange(20, dtype=np.float32) / 20)
    if disturbance is Disturbance.LIGHT_SWITCH:
        start, dark = WARM_UP_FRAMES + 5, True
        while start < FRAMES:
            end = start + int(rng.integers(17, 35))
            gains[start:end] = 0.55 if dark else 1.0
            start, dark = end, not dark
    return gains


def _draw(picture: MatLike, thing: _Thing, index: int) -> None:
    """Lay the thing over the picture, to a fraction of a pixel, its edge pixels mixed with what is behind."""
    left = thing.left_at(index)
    height, width = thing.texture.shape
    first = int(np.floor(left))
    texture = cv2.copyMakeBorder(thing.texture, 0, 0, 1, 1, cv2.BORDER_REPLICATE)
    cover = cv2.copyMakeBorder(np.ones((height, width), np.float32), 0, 0, 1, 1, cv2.BORDER_CONSTANT)
    cover = shifted(cover, left - first, 0.0)
    begin, end = max(0, first - 1), min(WIDTH, first + width + 1)
    if end <= begin:
        return
    inside = slice(begin - first + 1, end - first + 1)
    behind = picture[thing.top : thing.top + height, begin:end]
    behind += cover[:, inside] * (shifted(texture, left - first, 0.0)[:, inside] - behind)


def shifted(picture: MatLike, right_px: float, down_px: float) -> MatLike:
    matrix = np.array([[1, 0, right_px], [0, 1, down_px]], np.float32)
    height, width = picture.shape
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

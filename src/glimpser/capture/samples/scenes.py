"""What the samples show: four small worlds, drawn anew for each moment. Pure functions of time.

A moment `t` runs from 0 to 1 over the clip; every scene at 1 is the scene at 0, so that clips loop.
"""

from functools import cache
from math import cos, pi, sin

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 640, 360
Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_ANTIALIASED = cv2.LINE_AA


def street(t: float) -> Picture:
    """Draw houses behind a road on which cars pass now and then."""
    picture = _street_background().copy()
    _car(picture, _passing(t, begin=0.10, end=0.30), y=262, colour=(52, 64, 200))
    _car(picture, 1 - _passing(t, begin=0.42, end=0.58), y=305, colour=(190, 140, 60))
    _car(picture, _passing(t, begin=0.70, end=0.86), y=262, colour=(210, 210, 215))
    return _grain(picture, t)


def hallway(t: float) -> Picture:
    """Draw an empty hallway that somebody walks through once."""
    picture = _hallway_background().copy()
    way = _passing(t, begin=0.35, end=0.65)
    if 0 < way < 1:
        _walker(picture, way)
    return _grain(picture, t)


def aquarium(t: float) -> Picture:
    """Draw fish that never rest."""
    picture = _water().copy()
    for number in range(5):
        phase = (t * (1 + number % 2) + number / 5) % 1
        y = int(70 + number * 52 + 14 * sin(4 * pi * (t + number / 7)))
        _fish(picture, phase, y, size=16 + 5 * (number % 3), colour=_FISH[number])
    for number in range(9):
        rise = (t * 2 + number / 9) % 1
        centre = (60 + number * 65 + int(5 * sin(6 * pi * rise)), int(HEIGHT * (1 - rise)))
        cv2.circle(picture, centre, 3 + number % 3, (235, 225, 190), 1, _ANTIALIASED)
    return picture


def status_board(t: float) -> Picture:
    """Draw a dashboard whose figures change every few seconds, and one that turns red for a while."""
    step = int(t * 10)
    picture = np.full((HEIGHT, WIDTH, 3), (34, 27, 22), np.uint8)
    _write(picture, "Plant overview", (24, 38), 0.7, (235, 235, 235))
    alarm = step in (6, 7)
    values = (("Flow", 40 + 7 * step % 23), ("Level", 61 + 5 * step % 17), ("Heat", 97 if alarm else 72))
    for number, (name, value) in enumerate(values):
        _gauge(picture, number, name, value, alarm=alarm and name == "Heat")
    _chart(picture, step)
    return picture


_FISH: tuple[Colour, ...] = ((60, 150, 250), (80, 220, 240), (200, 120, 90), (90, 90, 235), (210, 190, 80))


def _passing(t: float, *, begin: float, end: float) -> float:
    """Give how far something has come that is under way from `begin` to `end`, 0 before and 1 after."""
    return min(1.0, max(0.0, (t - begin) / (end - begin)))


def _gradient(top: Colour, bottom: Colour) -> Picture:
    share = np.linspace(0, 1, HEIGHT)[:, None]
    column = np.array(top) * (1 - share) + np.array(bottom) * share
    return np.repeat(column[:, None, :], WIDTH, axis=1).astype(np.uint8)


@cache
def _street_background() -> Picture:
    picture = _gradient((225, 190, 150), (238, 226, 214))
    random = np.random.default_rng(7)
    for left in range(-20, WIDTH, 92):
        top = int(random.integers(60, 130))
        shade = int(random.integers(95, 150))
        cv2.rectangle(picture, (left, top), (left + 84, 225), (shade, shade + 8, shade + 14), cv2.FILLED)
        for x in range(left + 12, left + 74, 22):
            for y in range(top + 14, 205, 28):
                cv2.rectangle(picture, (x, y), (x + 11, y + 15), (215, 230, 240), cv2.FILLED)
    cv2.rectangle(picture, (0, 225), (WIDTH, 240), (165, 168, 170), cv2.FILLED)
    cv2.rectangle(picture, (0, 240), (WIDTH, HEIGHT), (88, 84, 82), cv2.FILLED)
    for x in range(0, WIDTH, 80):
        cv2.rectangle(picture, (x, 290), (x + 40, 294), (225, 230, 232), cv2.FILLED)
    return picture


def _car(picture: Picture, way: float, *, y: int, colour: Colour) -> None:
    if not 0 < way < 1:
        return
    x = int(-120 + way * (WIDTH + 120))
    roof = np.array([(x + 22, y - 2), (x + 38, y - 24), (x + 78, y - 24), (x + 98, y - 2)])
    cv2.fillPoly(picture, [roof], (70, 62, 55), _ANTIALIASED)
    cv2.rectangle(picture, (x, y - 4), (x + 118, y + 16), colour, cv2.FILLED)
    for wheel in (x + 26, x + 92):
        cv2.circle(picture, (wheel, y + 17), 11, (30, 28, 28), cv2.FILLED, _ANTIALIASED)
        cv2.circle(picture, (wheel, y + 17), 4, (150, 150, 150), cv2.FILLED, _ANTIALIASED)


@cache
def _hallway_background() -> Picture:
    picture = np.full((HEIGHT, WIDTH, 3), (178, 186, 192), np.uint8)
    end = (250, 120, 390, 215)
    left, top, right, bottom = end
    floor = np.array([(0, HEIGHT), (left, bottom), (right, bottom), (WIDTH, HEIGHT)])
    ceiling = np.array([(0, 0), (left, top), (right, top), (WIDTH, 0)])
    cv2.fillPoly(picture, [floor], (112, 122, 132), _ANTIALIASED)
    cv2.fillPoly(picture, [ceiling], (206, 212, 216), _ANTIALIASED)
    cv2.rectangle(picture, (left, top), (right, bottom), (150, 158, 166), cv2.FILLED)
    for corner in (
        (0, 0, left, top),
        (WIDTH, 0, right, top),
        (0, HEIGHT, left, bottom),
        (WIDTH, HEIGHT, right, bottom),
    ):
        cv2.line(picture, corner[:2], corner[2:], (138, 146, 154), 2, _ANTIALIASED)
    for door in (60, 150):
        cv2.rectangle(
            picture, (door, 110 + door // 4), (door + 44, 300 - door // 2), (96, 116, 142), cv2.FILLED
        )
    return picture


def _walker(picture: Picture, way: float) -> None:
    """Draw somebody who comes from the far end to the near one."""
    height = int(50 + 190 * way)
    x = int(320 + 90 * sin(2 * pi * way))
    foot = int(215 + 140 * way)
    swing = int(height * 0.12 * sin(16 * pi * way))
    width = max(2, height // 9)
    hip = (x, foot - height // 2)
    cv2.line(picture, hip, (x + swing, foot), (60, 48, 44), width, _ANTIALIASED)
    cv2.line(picture, hip, (x - swing, foot), (72, 58, 52), width, _ANTIALIASED)
    cv2.line(picture, hip, (x, foot - int(height * 0.82)), (60, 70, 170), width * 2, _ANTIALIASED)
    cv2.circle(
        picture,
        (x, foot - int(height * 0.92)),
        max(3, height // 11),
        (150, 175, 215),
        cv2.FILLED,
        _ANTIALIASED,
    )


@cache
def _water() -> Picture:
    picture = _gradient((150, 96, 30), (88, 48, 12))
    random = np.random.default_rng(3)
    for x in random.integers(0, WIDTH, 26):
        height = int(random.integers(20, 90))
        cv2.line(picture, (int(x), HEIGHT), (int(x) + 8, HEIGHT - height), (70, 120, 60), 4, _ANTIALIASED)
    return picture


def _fish(picture: Picture, phase: float, y: int, *, size: int, colour: Colour) -> None:
    angle = 2 * pi * phase
    x = int(WIDTH / 2 + (WIDTH / 2 - 40) * cos(angle))
    facing = 1 if sin(angle) < 0 else -1
    tail = np.array(
        [
            (x - facing * size, y),
            (x - facing * size * 2, y - size // 2),
            (x - facing * size * 2, y + size // 2),
        ]
    )
    cv2.fillPoly(picture, [tail], colour, _ANTIALIASED)
    cv2.ellipse(
        picture, (x, y), (int(size * 1.4), size * 2 // 3), 0, 0, 360, colour, cv2.FILLED, _ANTIALIASED
    )
    cv2.circle(picture, (x + facing * size * 4 // 5, y - 2), 2, (20, 20, 20), cv2.FILLED, _ANTIALIASED)


def _gauge(picture: Picture, number: int, name: str, value: int, *, alarm: bool) -> None:
    left = 24 + number * 202
    colour = (60, 60, 225) if alarm else (120, 200, 90)
    cv2.rectangle(picture, (left, 58), (left + 186, 160), (52, 43, 36), cv2.FILLED)
    _write(picture, name, (left + 14, 84), 0.5, (190, 190, 190))
    _write(picture, str(value), (left + 14, 132), 1.3, colour)
    cv2.rectangle(picture, (left + 14, 144), (left + 14 + value * 158 // 100, 150), colour, cv2.FILLED)


def _chart(picture: Picture, step: int) -> None:
    cv2.rectangle(picture, (24, 176), (WIDTH - 24, HEIGHT - 20), (52, 43, 36), cv2.FILLED)
    points = [(40 + x * 19, int(262 - 40 * sin((x + 3 * step) / 3) - 18 * cos(x * 1.7))) for x in range(30)]
    cv2.polylines(
        picture, [np.array(points)], isClosed=False, color=(230, 180, 90), thickness=2, lineType=_ANTIALIASED
    )


def _write(picture: Picture, text: str, at: tuple[int, int], scale: float, colour: Colour) -> None:
    cv2.putText(picture, text, at, _FONT, scale, colour, max(1, round(scale * 1.5)), _ANTIALIASED)


def _grain(picture: Picture, t: float) -> Picture:
    """Add a sensor's noise, without which nothing looks like a camera."""
    random = np.random.default_rng(int(t * 10_000))
    noise = random.integers(-5, 6, (HEIGHT, WIDTH, 1), dtype=np.int16)
    noisy: Picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return noisy

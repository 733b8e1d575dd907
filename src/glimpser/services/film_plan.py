"""Which picture a film shows when: plain arithmetic over times.

A timelapse is even in time. Each picture stays until the next one is due, but never long past what is usual
for the view: what was not seen is shown as such, for a moment, and does not fill the film.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from statistics import median

from glimpser.core.exports import StoredPicture

_UNUSUAL = 3
"""Times the usual pause: what is longer is a gap."""
_CARD_S = 1.0
"""So long a gap is shown at most."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture for so many frames, and behind it, if a gap follows, so many frames that say so."""

    picture: StoredPicture
    frames: int
    gap_frames: int = 0
    gap_until: StoredPicture | None = None


def step_of(bounds_s: float, frames: int) -> timedelta:
    """Say how much time one frame stands for, so that the last picture has the last frame."""
    return max(timedelta(seconds=bounds_s / max(frames - 1, 1)), timedelta(microseconds=1))


def timelapse(
    pictures: Sequence[StoredPicture], *, step: timedelta, frames: int, fps: int
) -> Iterator[Shown]:
    """Spread pictures, one for each step at most, over at most so many frames."""
    if len(pictures) == 1:  # time does not pass
        yield Shown(pictures[0], min(frames, fps))
        return
    begin = pictures[0].captured_at
    places = [min((one.captured_at - begin) // step, frames - 1) for one in pictures]
    usual = _usual(pictures, step)
    most_shown = max(1, -(-usual // step))
    card = max(1, round(fps * _CARD_S))
    for number, (one, place) in enumerate(zip(pictures[:-1], places[:-1], strict=True)):
        following = pictures[number + 1]
        held = places[number + 1] - place
        if following.captured_at - one.captured_at <= usual:
            if held:  # the last two may share the last frame
                yield Shown(one, held)
        else:
            shown = min(held, most_shown)
            rest = min(held - shown, card)
            yield Shown(one, shown, rest, following if rest else None)
    yield Shown(pictures[-1], max(1, min(frames - places[-1], most_shown)))


def _usual(pictures: Sequence[StoredPicture], step: timedelta) -> timedelta:
    """Say how long a view may be without a new picture before that is a gap."""
    pauses = [
        (after.captured_at - before.captured_at).total_seconds() for before, after in pairwise(pictures)
    ]
    return max(_UNUSUAL * timedelta(seconds=median(pauses)), _UNUSUAL * step)

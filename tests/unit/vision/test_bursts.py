from datetime import UTC, datetime, timedelta

import pytest

from glimpser.core.motion import STILL, Box, BurstClosed, BurstEvent, BurstOpened, BurstPeak, Motion
from glimpser.vision.bursts import BurstTracker

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def motion(score: float) -> Motion:
    return Motion(score=score, boxes=(Box(x=0.1, y=0.1, width=score, height=0.2),))


def opened(seconds: float, score: float) -> BurstOpened:
    return BurstOpened(started_at=at(seconds), peak_at=at(seconds), score=score, boxes=motion(score).boxes)


def closed(start: float, peak: float, end: float, *, score: float) -> BurstClosed:
    return BurstClosed(
        started_at=at(start), peak_at=at(peak), ended_at=at(end), score=score, boxes=motion(score).boxes
    )


def feed(tracker: BurstTracker, scores: dict[float, float]) -> list[BurstEvent]:
    """Feed one frame for each second → score; a score of 0 is a still frame."""
    events: list[BurstEvent] = []
    for seconds, score in scores.items():
        events += tracker.feed(at(seconds), motion(score) if score else STILL).events
    return events


def test_still_frames_are_no_burst() -> None:
    assert feed(BurstTracker(), {0: 0, 0.2: 0, 5: 0}) == []


def test_an_activity_is_opened_by_its_first_moving_frame_and_closed_at_its_last() -> None:
    events = feed(BurstTracker(), {0: 0, 1: 0.2, 1.2: 0.2, 1.4: 0, 3.3: 0, 3.4: 0})

    assert events == [opened(1, 0.2), closed(1, 1, 1.2, score=0.2)]


def test_what_is_left_at_once_after_large_motion_is_no_motion() -> None:
    leaving = {0: 0.2, 0.2: 0.2, 0.4: 0.002, 1.4: 0.002, 2.4: 0.002}

    assert feed(BurstTracker(quiet_s=1.5), leaving) == [opened(0, 0.2), closed(0, 0, 0.2, score=0.2)]


def test_small_motion_that_goes_on_after_large_motion_is_a_burst_of_its_own() -> None:
    events = feed(BurstTracker(quiet_s=1.5), {0: 0.2, 1: 0.002, 2: 0.002, 3: 0.002, 4: 0.002})

    assert events == [opened(0, 0.2), closed(0, 0, 0, score=0.2), opened(4, 0.002)]


def test_a_burst_that_fades_ends_before_its_motion_is_small_beside_its_peak() -> None:
    fading = {0: 0.2, 0.2: 0.05, 0.4: 0.01, 0.6: 0.002, 0.8: 0.001, 1: 0, 2: 0, 3: 0}

    assert feed(BurstTracker(quiet_s=1.5), fading)[-1] == closed(0, 0, 0.4, score=0.2)


def test_a_burst_in_which_small_motion_goes_on_for_long_ends_with_that() -> None:
    small = dict.fromkeys((1, 2, 3, 4, 5, 6), 0.002)
    shrinking = {0: 0.2, 0.2: 0.05, 0.4: 0.01} | small | {7: 0, 8: 0}

    assert feed(BurstTracker(quiet_s=1.5), shrinking)[-1] == closed(0, 0, 6, score=0.2)


def test_one_frame_that_flickers_after_the_end_does_not_lengthen_a_burst() -> None:
    flicker = {0: 0.2, 0.2: 0.2, 0.4: 0, 0.6: 0, 0.8: 0.02, 1: 0, 2: 0, 3: 0}

    assert feed(BurstTracker(quiet_s=1.5), flicker)[-1] == closed(0, 0, 0.2, score=0.2)


def test_a_pause_shorter_than_the_quiet_time_belongs_to_the_burst() -> None:
    events = feed(BurstTracker(quiet_s=1.5), {0: 0.2, 0.2: 0, 1.4: 0.2, 1.6: 0, 2.8: 0.2})

    assert events == [opened(0, 0.2)]


def test_a_pause_as_long_as_the_quiet_time_parts_two_bursts_in_one_frame() -> None:
    tracker = BurstTracker(quiet_s=1.5)
    feed(tracker, {0: 0.2, 0.2: 0, 1.4: 0})

    step = tracker.feed(at(1.5), motion(0.3))

    assert step.events == (closed(0, 0, 0, score=0.2), opened(1.5, 0.3))
    assert step.best


def test_a_better_frame_soon_after_the_opening_is_announced_when_the_interval_is_over() -> None:
    events = feed(BurstTracker(), {0: 0.1, 0.2: 0.5, 0.4: 0.2, 0.8: 0.2, 1.0: 0.2})

    peak = BurstPeak(started_at=at(0), peak_at=at(0.2), score=0.5, boxes=motion(0.5).boxes)
    assert events == [opened(0, 0.1), peak]


def test_a_waiting_peak_is_announced_by_a_still_frame_too() -> None:
    events = feed(BurstTracker(), {0: 0.1, 0.2: 0.5, 1.0: 0})

    assert [type(event) for event in events] == [BurstOpened, BurstPeak]


def test_a_peak_that_had_no_time_to_be_announced_is_in_the_close() -> None:
    tracker = BurstTracker()
    events = feed(tracker, {0: 0.1, 0.2: 0.5})

    events += tracker.flush()

    assert events == [opened(0, 0.1), closed(0, 0.2, 0.2, score=0.5)]


def test_peaks_are_announced_at_most_once_in_an_interval() -> None:
    scores = {tenth / 10: 0.01 * 1.2**tenth for tenth in range(25)}

    events = feed(BurstTracker(), scores)

    assert [(type(event), event.peak_at) for event in events] == [
        (BurstOpened, at(0)),
        (BurstPeak, at(1)),
        (BurstPeak, at(2)),
    ]


@pytest.mark.parametrize(("score", "announced"), [(0.109, 0), (0.111, 1)])
def test_only_a_noticeable_growth_is_announced(score: float, announced: int) -> None:
    events = feed(BurstTracker(peak_growth=1.1), {0: 0.1, 2: score})

    assert len(events) == 1 + announced


def test_a_small_growth_is_the_best_picture_all_the_same_and_ends_up_in_the_close() -> None:
    tracker = BurstTracker()
    feed(tracker, {0: 0.1})

    step = tracker.feed(at(1), motion(0.105))

    assert step.best
    assert step.events == ()
    assert tracker.flush() == (closed(0, 1, 1, score=0.105),)


def test_exactly_the_frames_better_than_all_before_are_best() -> None:
    tracker = BurstTracker()
    frames = [0.1, 0.1, 0.3, 0.2, 0.0, 0.3, 0.31]

    best = [
        tracker.feed(at(index / 5), motion(score) if score else STILL).best
        for index, score in enumerate(frames)
    ]

    assert best == [True, False, True, False, False, False, True]


def test_a_motion_of_score_zero_opens_a_burst_and_never_announces_itself_again() -> None:
    tracker = BurstTracker()
    nothing_much = Motion(score=0.0, boxes=(Box(x=0, y=0, width=0.1, height=0.1),))

    events = [*tracker.feed(at(0), nothing_much).events, *tracker.feed(at(5), nothing_much).events]

    assert [type(event) for event in events] == [BurstOpened]


def test_few_frames_do_not_cut_an_activity_to_pieces() -> None:
    events = feed(BurstTracker(quiet_s=1.5, blind_s=10), {0: 0.2, 4: 0.2, 8: 0.2})

    assert events == [opened(0, 0.2)]


def test_a_moving_frame_after_a_blind_gap_is_another_activity() -> None:
    events = feed(BurstTracker(quiet_s=1.5, blind_s=10), {0: 0.2, 10: 0.3})

    assert events == [opened(0, 0.2), closed(0, 0, 0, score=0.2), opened(10, 0.3)]


def test_a_gap_after_a_still_frame_counts_as_quiet() -> None:
    events = feed(BurstTracker(quiet_s=1.5, blind_s=10), {0: 0.2, 0.2: 0, 3: 0.3})

    assert events == [opened(0, 0.2), closed(0, 0, 0, score=0.2), opened(3, 0.3)]


def test_a_clock_set_back_ends_the_burst_before_it_can_end_before_it_began() -> None:
    events = feed(BurstTracker(), {100: 0.2, 100.2: 0.2, 3: 0.2})

    assert events == [opened(100, 0.2), closed(100, 100, 100.2, score=0.2), opened(3, 0.2)]


def test_the_end_of_the_source_closes_the_burst_at_its_last_moving_frame() -> None:
    tracker = BurstTracker()
    feed(tracker, {0: 0.2, 0.4: 0.1, 0.6: 0})

    assert tracker.flush() == (closed(0, 0, 0.4, score=0.2),)


def test_the_end_of_a_quiet_source_is_no_event_and_neither_is_a_second_end() -> None:
    tracker = BurstTracker()
    feed(tracker, {0: 0.2})
    tracker.flush()

    assert tracker.flush() == ()

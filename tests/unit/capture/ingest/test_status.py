from glimpser.capture.ingest.status import Status
from glimpser.capture.ingest.wire import StateReport
from glimpser.core.live import State
from glimpser.testing.clock import FakeClock


def status_and_reports(first_epoch: int = 1) -> tuple[Status, list[StateReport]]:
    told: list[StateReport] = []
    return Status("A", told.append, FakeClock(), first_epoch=first_epoch), told


def test_a_state_is_told_once_and_again_when_its_reason_changes() -> None:
    status, told = status_and_reports()

    status.say(State.BACKOFF, "one")
    status.say(State.BACKOFF, "one")
    status.say(State.BACKOFF, "two")

    assert [report.reason for report in told] == ["one", "two"]


def test_each_beginning_is_an_epoch_of_its_own_from_the_first_on() -> None:
    status, told = status_and_reports(first_epoch=7)
    status.say(State.CONNECTING)

    status.begin_epoch()
    status.say(State.BACKOFF, "gone")
    status.begin_epoch()

    assert [(report.state, report.epoch) for report in told] == [
        (State.CONNECTING, 6),
        (State.LIVE, 7),
        (State.BACKOFF, 7),
        (State.LIVE, 8),
    ]


def test_what_comes_too_late_does_not_overwrite_a_newer_state() -> None:
    status, told = status_and_reports()
    status.begin_epoch()
    status.say(State.FAILED, "hopeless")

    status.say(State.STALLED, "silent", after=(State.LIVE, State.DEGRADED))

    assert status.state is State.FAILED
    assert [report.state for report in told] == [State.LIVE, State.FAILED]


def test_size_and_rate_are_told_while_there_are_pictures() -> None:
    status, told = status_and_reports()
    status.describe(fps=25.0, size=(640, 360))

    status.begin_epoch()
    status.say(State.BACKOFF, "gone")

    assert [(report.w, report.h, report.fps) for report in told] == [(640, 360, 25.0), (None, None, None)]

from dataclasses import dataclass

import pytest

from glimpser.core.health import WELL, HealthState, Verdict
from glimpser.core.live import State, StreamStatus
from glimpser.services.verdicts import Opinions
from tests.contract.samples import at

FROZEN = Verdict(HealthState.FROZEN, "Nothing moves.")
BLOCKED = Verdict(HealthState.BLOCKED, "Sign in first.")
OURS = Verdict(HealthState.UNKNOWN, "There is no browser.")


def is_in(state: State, *, epoch: int = 1, reason: str | None = None) -> StreamStatus:
    return StreamStatus(state=state, since=at(0), epoch=epoch, reason=reason)


@dataclass(frozen=True)
class Capture:
    verdict: Verdict


def after(*said: StreamStatus | Verdict | Capture) -> HealthState:
    opinions = Opinions()
    for each in said:
        match each:
            case StreamStatus():
                opinions.stream_says(each)
            case Verdict():
                opinions.pictures_say(each)
            case Capture(verdict):
                opinions.capture_says(verdict)
    return opinions.verdict().state


CONNECTING, LIVE, DEGRADED = is_in(State.CONNECTING), is_in(State.LIVE), is_in(State.DEGRADED)
STALLED, BACKOFF, IDLE = is_in(State.STALLED), is_in(State.BACKOFF), is_in(State.IDLE)
AGAIN = is_in(State.LIVE, epoch=2)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ((), "unknown"),
        ((IDLE,), "unknown"),
        ((CONNECTING,), "unknown"),
        ((CONNECTING, LIVE), "ok"),
        ((LIVE, DEGRADED), "ok"),
        ((LIVE, STALLED), "stalled"),
        ((LIVE, BACKOFF), "down"),
        ((LIVE, is_in(State.FAILED)), "down"),
        ((LIVE, BACKOFF, CONNECTING), "down"),
        ((LIVE, IDLE), "unknown"),
        ((LIVE, is_in(State.STOPPING)), "unknown"),
        # Pictures are judged while they come,
        ((LIVE, WELL), "ok"),
        ((LIVE, FROZEN), "frozen"),
        ((LIVE, FROZEN, WELL), "ok"),
        ((LIVE, FROZEN, DEGRADED, LIVE), "frozen"),
        ((LIVE, FROZEN, STALLED), "stalled"),
        ((LIVE, FROZEN, STALLED, LIVE), "frozen"),
        # and of a new stream anew.
        ((LIVE, FROZEN, BACKOFF), "down"),
        ((LIVE, FROZEN, BACKOFF, AGAIN), "ok"),
        ((LIVE, FROZEN, AGAIN), "ok"),
        ((LIVE, FROZEN, IDLE), "unknown"),
        # A source that is asked says why it gives nothing.
        ((LIVE, BACKOFF, BLOCKED), "blocked"),
        ((LIVE, BACKOFF, BLOCKED, AGAIN, WELL), "ok"),
        ((LIVE, BACKOFF, OURS), "unknown"),
        ((LIVE, BACKOFF, OURS, CONNECTING, BACKOFF, BLOCKED), "blocked"),
        # Captures count while the view does not run.
        ((Capture(WELL),), "ok"),
        ((Capture(BLOCKED),), "blocked"),
        ((Capture(BLOCKED), IDLE), "blocked"),
        ((Capture(BLOCKED), CONNECTING), "blocked"),
        ((Capture(BLOCKED), LIVE), "ok"),
        ((LIVE, FROZEN, Capture(WELL)), "frozen"),
        ((LIVE, FROZEN, IDLE, Capture(WELL)), "ok"),
    ],
)
def test_the_verdict_follows_from_what_was_said(
    said: tuple[StreamStatus | Verdict | Capture, ...], state: str
) -> None:
    assert after(*said) == state


def test_the_reason_is_that_of_whoever_is_right() -> None:
    opinions = Opinions()
    opinions.stream_says(is_in(State.BACKOFF, reason="The camera refuses the connection."))

    down = opinions.verdict()
    opinions.stream_says(is_in(State.LIVE, reason="left over"))

    assert down == Verdict(HealthState.DOWN, "The camera refuses the connection.")
    assert opinions.verdict() == WELL

"""What the answers of web servers mean for a view (RFC 9110, section 15)."""

from collections.abc import Mapping

from glimpser.core.health import HealthState
from glimpser.core.sources import ViewFailed
from glimpser.egress.fetching import Fetched

_LOCK_OUT_S = 60
"""Cameras lock accounts that give a wrong password again and again."""
_MAX_WAIT_S = 3600
_WORDS: Mapping[int, str] = {
    404: "there is nothing at this address",
    410: "what was at this address is gone",
    429: "it is asked too often: choose a longer interval",
    500: "the server failed",
    502: "the server behind it failed",
    503: "the server has no time now",
    504: "the server behind it did not answer",
}


def body_of(answer: Fetched) -> bytes:
    """Give the body of a good answer.

    Raises:
        ViewFailed: the answer says why there is none.
    """
    if answer.status == 200:
        return answer.body
    if answer.status in (401, 403):
        what = "wants another user name or password" if answer.status == 401 else "refuses to show this"
        raise ViewFailed(
            f"{answer.authority} {what} (HTTP {answer.status}).", _LOCK_OUT_S, state=HealthState.BLOCKED
        )
    words = _WORDS.get(answer.status)
    said = f"HTTP {answer.status}: {words}" if words else f"HTTP {answer.status}"
    asked = answer.headers.get("retry-after", "")
    wait_s = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 5
    raise ViewFailed(f"{answer.authority} answers {said}.", sooner_than(wait_s), state=HealthState.ERROR_PAGE)


def sooner_than(wait_s: int) -> int:
    """Wait as long as asked, at most an hour: nobody can put a view to sleep for good."""
    return min(max(wait_s, 1), _MAX_WAIT_S)

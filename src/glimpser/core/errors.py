"""Every error the program raises on purpose says who must act.

GlimpserError
├── InvalidInput          the caller mends what was sent
│   └── Precondition      … by naming the version it wants to change (If-Match)
├── NotFound              the caller asks for something else
├── Conflict              the caller looks at what is there now, then tries again
│   └── Stale             … because somebody changed it since it was read
├── Denied                the caller may not do this
│   ├── Unauthenticated   … before saying who it is
│   └── TooMany           … at this rate, or that many at once
├── Unavailable           nobody: try again after `retry_after_s`
│   ├── Damaged           … unless what is stored is not what had been: a backup or mirror has it
│   ├── DeliveryFailed    … to tell somebody
│   └── ViewFailed        … to see something: in `core.sources`
├── Rejected              the operator mends the channel: the other side refuses for good
└── Misconfigured         the operator mends the configuration or the machine
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field. `pointer` is a JSON Pointer into the input (RFC 6901)."""

    pointer: str
    message: str


class GlimpserError(Exception):
    """The root: `detail` is a sentence for the person who must act. It never holds a secret."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(GlimpserError):
    """What was sent cannot be used; each of `errors` names a field and the remedy."""

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)

    @classmethod
    def field(cls, pointer: str, message: str) -> "InvalidInput":
        """Make the error of one single field."""
        return cls(message, [FieldError(pointer, message)])


class Precondition(InvalidInput):
    """A write came without the version it was made for."""


class NotFound(GlimpserError):
    """There is no such thing, or not for this caller."""


class Conflict(GlimpserError):
    """The request does not fit what is there now."""


class Stale(Conflict):
    """The thing was changed since the caller read it: read again, then write."""


class Denied(GlimpserError):
    """The caller is known and may not do this."""


class Unauthenticated(Denied):
    """The caller must say who it is."""


class TooMany(Denied):
    """The caller has reached a limit: fewer, or later."""

    def __init__(self, detail: str, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Unavailable(GlimpserError):
    """It would work at another time; nothing is wrong with the request."""

    def __init__(self, detail: str, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Damaged(Unavailable):
    """The bytes of a stored object are not those that were stored. Told when all of them were read."""


class DeliveryFailed(Unavailable):
    """A channel did not take a notification this time; `detail` says what it answered."""


class Rejected(GlimpserError):
    """A channel will never take this notification the way it is configured."""


class Misconfigured(GlimpserError):
    """The operator must change the configuration or the machine before this can work."""

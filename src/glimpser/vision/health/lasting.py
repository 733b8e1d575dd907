"""Conditions that count when they last."""

from dataclasses import dataclass


@dataclass(slots=True)
class Lasting:
    """Begins when a condition held for `begins_after_s` in at least `looks` looks, ends likewise.

    Times are those of the looks, in seconds; they never fall.
    """

    begins_after_s: float
    ends_after_s: float
    looks: int = 3
    holds: bool = False
    _since_s: float | None = None
    _count: int = 0

    def update(self, condition: bool | None, at_s: float) -> bool:  # noqa: FBT001 (what was seen)
        """Take what a look says (None: it cannot tell); gives whether the condition holds."""
        if condition is None or condition is self.holds:
            self._since_s, self._count = None, 0
            return self.holds
        if self._since_s is None:
            self._since_s = at_s
        self._count += 1
        after_s, looks = (self.ends_after_s, 1) if self.holds else (self.begins_after_s, self.looks)
        if at_s - self._since_s >= after_s and self._count >= looks:
            self.holds = condition
            self._since_s, self._count = None, 0
        return self.holds

    def reset(self) -> None:
        self.holds, self._since_s, self._count = False, None, 0

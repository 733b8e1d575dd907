"""What a benchmark found: ratios, each measured beside its yardstick in the same run."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number.

    Attributes:
        value: the median of the rounds.
        noise: distance of the largest and smallest round as a part of the median; None after one round.
        at_most: the target where less is better; None where there is none.
        at_least: the target where more is better.
    """

    name: str
    value: float
    unit: str
    noise: float | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool:
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def verdict(self) -> str:
        """Name the target and whether it was met; empty where there is none."""
        targets = [("≤", self.at_most), ("≥", self.at_least)]
        told = [f"{sign} {target:g}" for sign, target in targets if target is not None]
        return " ".join([*told, "met" if self.met else "MISSED"]) if told else ""


def median(name: str, rounds: Sequence[float], unit: str, *, at_most: float | None = None) -> Figure:
    """Make one figure of several rounds."""
    middle = statistics.median(rounds)
    noise = (max(rounds) - min(rounds)) / middle if len(rounds) > 1 and middle else None
    return Figure(name=name, value=middle, unit=unit, noise=noise, at_most=at_most)


def slowest(name: str, tries_s: Sequence[float], *, at_most: float) -> list[Figure]:
    """Make the figures of something that must never take long: its median and its worst, in seconds."""
    return [
        Figure(name=f"{name}: median", value=statistics.median(tries_s), unit="s"),
        Figure(name=f"{name}: slowest of {len(tries_s)}", value=max(tries_s), unit="s", at_most=at_most),
    ]


@dataclass(frozen=True, slots=True)
class Part:
    """All figures of one benchmark, and what must be known to read them."""

    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def met(self) -> bool:
        return all(figure.met for figure in self.figures)

    def as_dict(self) -> dict[str, object]:
        return {
            "title": self.title,
            "figures": [asdict(figure) | {"met": figure.met} for figure in self.figures],
            "notes": list(self.notes),
        }

    def table(self) -> str:
        """Lay it out for a terminal."""
        width = max(len(figure.name) for figure in self.figures)
        lines = [self.title, "-" * len(self.title)]
        lines += [_line(figure, width) for figure in self.figures]
        return "\n".join([*lines, *(f"* {note}" for note in self.notes)])


def _line(figure: Figure, width: int) -> str:
    noise = "" if figure.noise is None else f"±{figure.noise / 2:.0%}"
    line = f"{figure.name:<{width}}  {figure.value:>10.4g} {figure.unit:<8} {noise:<6} {figure.verdict}"
    return line.rstrip()

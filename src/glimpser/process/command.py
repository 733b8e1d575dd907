"""What is run: a program and its arguments, how much it may take, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glimpser.core.errors import InvalidInput, Unavailable

MAX_OPERAND = 16 << 10
"""Longer values from outside are refused, in characters."""


class TimedOut(Unavailable):
    """A program did not end in its time, and was ended."""


class Flooded(Unavailable):
    """A program wrote more than was to be kept of it, and was ended."""


@dataclass(frozen=True, slots=True)
class Operand:
    """An argument that came from outside: it can never be taken for an option.

    Options are plain strings and are always ours; what follows one, or `--`, may be an operand.

    Raises:
        InvalidInput: it begins like an option, or no program can be given it.
    """

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        if self.value.startswith("-"):
            raise InvalidInput("A value that is given to a program may not begin with a hyphen.")
        if not self.value or "\0" in self.value or len(self.value) > MAX_OPERAND:
            raise InvalidInput(f"A value that is given to a program has 1 to {MAX_OPERAND} characters.")


Argument = str | Operand


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What each process of a command may take (setrlimit(2)); None: as much as we may.

    `memory_bytes` is of address space, of which browsers and GPU drivers reserve far more than they use.
    """

    memory_bytes: int | None = None
    file_size_bytes: int | None = 1 << 30
    open_files: int | None = 1024
    cpu_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to run.

    Attributes:
        name: what it is called in metrics and logs, such as `yt-dlp`; from a short fixed list.
        argv: the path of the program, its options and operands. Others on this machine can read them: no
            secrets.
        environment: beside `PATH`, `HOME`, `TMPDIR` and `LANG`. Nothing else of ours is passed on.
        home: its home and working directory; None: an empty one that is removed at the end.
        grace_s: time between the request to end and the end by force.
        niceness: how far it stands back from everything else on this machine, 0 to 19 (nice(2)).
    """

    name: str
    argv: Sequence[Argument] = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    home: Path | None = None
    limits: Limits = field(default_factory=Limits)
    grace_s: float = 3.0
    niceness: int = 0

    def __post_init__(self) -> None:
        if not self.argv or not Path(self.words[0]).is_absolute():
            raise ValueError("a program is named by its whole path: nothing is looked for on the way")

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments as the program gets them, its own path first."""
        return tuple(part.value if isinstance(part, Operand) else part for part in self.argv)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: `status` is its exit status, or the signal that ended it, negative.

    `complaints` is the end of what it wrote to stderr, redacted.
    """

    stdout: bytes = field(repr=False)
    status: int
    duration_s: float
    complaints: str = field(default="", repr=False)

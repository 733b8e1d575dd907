import signal
import subprocess
import sys
from collections.abc import Iterator
from time import monotonic

import pytest

from glimpser.core import failpoints
from glimpser.core.errors import Misconfigured, Unavailable


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_a_place_that_is_not_armed_does_nothing() -> None:
    failpoints.arm("storage.written:raise")

    failpoints.hit("storage.renamed")


def test_an_armed_place_fails_at_each_passage() -> None:
    failpoints.arm("storage.written:raise")

    for _ in range(2):
        with pytest.raises(Unavailable, match=r"storage\.written"):
            failpoints.hit("storage.written")


def test_a_number_picks_one_passage() -> None:
    failpoints.arm("storage.written:raise:2")

    failpoints.hit("storage.written")
    with pytest.raises(Unavailable):
        failpoints.hit("storage.written")
    failpoints.hit("storage.written")


def test_several_places_are_separated_by_commas() -> None:
    failpoints.arm(" a:raise , b:raise:1 ,")

    for name in ("a", "b"):
        with pytest.raises(Unavailable, match=name):
            failpoints.hit(name)


def test_arming_again_replaces_what_was_armed() -> None:
    failpoints.arm("a:raise")

    failpoints.arm("b:raise")

    failpoints.hit("a")


def test_an_empty_specification_disarms() -> None:
    failpoints.arm("a:raise")

    failpoints.arm("")

    failpoints.hit("a")


def test_a_place_can_be_made_slow() -> None:
    failpoints.arm("a:sleep:30")
    began_s = monotonic()

    failpoints.hit("a")

    assert monotonic() - began_s >= 0.03


def test_kill_ends_the_process_where_it_stands() -> None:
    program = (
        "from glimpser.core import failpoints\n"
        "failpoints.arm('a:kill:2')\n"
        "failpoints.hit('a')\n"
        "print('once', flush=True)\n"
        "failpoints.hit('a')\n"
        "print('twice', flush=True)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )

    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout == "once\n"


@pytest.mark.parametrize(
    "specification",
    [
        "a",
        "a:",
        ":kill",
        "a:explode",
        "a:kill:0",
        "a:kill:-1",
        "a:kill:x",
        "a:kill:2x",
        "a:kill:1:2",
        "a:sleep",
        "a:sleep:",
        "a:sleep:x",
        "a:sleep:x:5",
        "a:sleep:5:x",
        "a:sleep:5:1:1",
        "a:sleep:\u00b2",
        "a:kill b:kill",
        "good:raise,a:explode",
    ],
)
def test_a_specification_that_cannot_be_read_is_refused_and_arms_nothing(specification: str) -> None:
    with pytest.raises(Misconfigured, match="GLIMPSER_FAILPOINT"):
        failpoints.arm(specification)

    failpoints.hit("good")
    failpoints.hit("a")

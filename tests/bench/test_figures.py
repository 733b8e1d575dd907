import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import Figure, Part, median, slowest
from tests.bench.processes import cpu_s, pss_mib, run_measured, tree


@pytest.mark.parametrize(
    ("at_most", "at_least", "met"),
    [(None, None, True), (2.0, None, True), (1.9, None, False), (None, 2.0, True), (None, 2.1, False)],
)
def test_a_figure_is_met_within_its_targets(
    at_most: float | None, at_least: float | None, *, met: bool
) -> None:
    figure = Figure(name="x", value=2.0, unit="s", at_most=at_most, at_least=at_least)

    assert figure.met is met
    assert ("MISSED" in Part("x", [figure]).table()) is not met


def test_one_missed_target_fails_the_part() -> None:
    good = Figure(name="good", value=1.0, unit="s", at_most=1.0)
    bad = Figure(name="bad", value=1.1, unit="s", at_most=1.0)

    assert Part("all good", [good]).met
    assert not Part("one bad", [good, bad]).met


def test_a_median_tells_how_far_its_rounds_are_apart() -> None:
    figure = median("x", [1.0, 2.0, 4.0], "s")

    assert figure.value == 2.0
    assert figure.noise == 1.5


def test_the_slowest_try_is_what_must_meet_the_target() -> None:
    middle, worst = slowest("x", [1.0, 1.0, 9.0], at_most=2.0)

    assert middle.met
    assert not worst.met


def test_the_cost_of_a_process_and_of_those_below_it_is_seen() -> None:
    script = "import subprocess, sys; sum(range(3_000_000)); subprocess.run(['sleep', '30'])"
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        try:
            while len(pids := tree(process.pid)) < 2:
                os.sched_yield()
            assert cpu_s(process.pid) > 0
            assert pss_mib(pids) > pss_mib(pids[1:]) > 0
        finally:
            for pid in tree(process.pid)[::-1]:
                os.kill(pid, 9)


def test_a_program_is_measured_to_its_end_and_its_failure_is_not_hidden() -> None:
    assert run_measured([sys.executable, "-c", "sum(range(3_000_000))"]) > 0
    with pytest.raises(RuntimeError, match="status 3"):
        run_measured([sys.executable, "-c", "raise SystemExit(3)"])


def test_the_cost_of_a_process_that_is_gone_is_an_error() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert not Path(f"/proc/{process.pid}").exists()

    with pytest.raises(FileNotFoundError):
        cpu_s(process.pid)

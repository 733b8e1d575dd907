import asyncio
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from glimpser.core.clock import SystemClock
from glimpser.core.errors import Misconfigured, Unavailable
from glimpser.observability.metrics import Metrics
from glimpser.process.command import Command, Flooded, Limits, Operand, TimedOut
from glimpser.process.runner import Runner, open_runner
from tests.hostile_programs import MARK, SCRIPTS, children, marked, script, zombies

pytestmark = pytest.mark.anyio

ENDLESS = "while :; do sleep 100; done"


@pytest.fixture(scope="module", params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """The program runs on uvloop where that is installed."""
    return "asyncio", {"use_uvloop": request.param}


def inside(directory: Path) -> list[Path]:
    return list(directory.iterdir())


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():  # noqa: ASYNC110  # nothing tells what happens to another program
            await asyncio.sleep(0.01)


async def output(runner: Runner, text: str, **more: Any) -> str:
    return (await runner.run(script(text, **more))).stdout.decode()


async def test_output_status_and_complaints_come_back(runner: Runner) -> None:
    finished = await runner.run(script("echo said; echo complained >&2; exit 3"))

    assert (finished.stdout, finished.status, finished.complaints) == (b"said\n", 3, "complained\n")


async def test_a_signal_that_ends_it_is_a_negative_status(runner: Runner) -> None:
    assert (await runner.run(script("kill -SEGV $$"))).status == -signal.SIGSEGV


async def test_operands_reach_the_program_as_they_are(runner: Runner) -> None:
    hostile = "$(id); `id` | x > y & 'z' \"\\"
    command = Command(name="printf", argv=("/usr/bin/printf", "%s", Operand(hostile)))

    assert (await runner.run(command)).stdout.decode() == hostile


async def test_nothing_of_our_environment_is_passed_on(
    runner: Runner, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIMPSER_SECURITY__JWT_SECRET", "hush")
    monkeypatch.setenv("https_proxy", "http://elsewhere")

    found = dict(line.split("=", 1) for line in (await output(runner, "/usr/bin/env", mark="x")).splitlines())

    found.pop("_", None)  # the shell's own
    assert found.pop("HOME").startswith(str(scratch))
    assert found.keys() == {"PATH", "LANG", "TMPDIR", "PWD", MARK}


async def test_its_home_is_empty_its_own_and_gone_afterwards(runner: Runner, scratch: Path) -> None:
    found = await output(runner, 'pwd; ls -A; echo "$HOME"; touch left')

    first, second = found.split()
    assert first == second
    assert inside(scratch) == []


async def test_no_file_descriptor_of_ours_is_open_in_it(runner: Runner, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as secret:
        os.set_inheritable(secret.fileno(), True)

        assert "secret" not in await output(runner, "ls -l /proc/self/fd")


async def test_its_limits_hold_and_it_cannot_gain_rights(runner: Runner) -> None:
    limits = Limits(memory_bytes=1 << 30, file_size_bytes=1 << 20, open_files=64, cpu_s=7)

    found = await output(runner, "cat /proc/self/limits /proc/self/status; umask", limits=limits)

    soft_and_hard = dict(re.findall(r"^Max (.+?) {2,}(\S+ +\S+)", found, re.MULTILINE))
    assert soft_and_hard["address space"].split() == ["1073741824"] * 2
    assert soft_and_hard["file size"].split() == ["1048576"] * 2
    assert soft_and_hard["open files"].split() == ["64"] * 2
    assert soft_and_hard["cpu time"].split() == ["7"] * 2
    assert soft_and_hard["core file size"].split() == ["0"] * 2
    assert re.search(r"^NoNewPrivs:\s+1$", found, re.MULTILINE)
    assert found.splitlines()[-1] == "0077"


async def test_a_file_that_grows_too_large_ends_it(runner: Runner) -> None:
    limits = Limits(file_size_bytes=1 << 16)

    finished = await runner.run(script("exec head -c 1000000 /dev/zero > big", limits=limits))

    assert finished.status == -signal.SIGXFSZ


@pytest.mark.parametrize("name", ["hanging", "forking", "flooding", "complaining", "stopping itself"])
async def test_what_does_not_end_is_ended_with_all_it_started(
    name: str, runner: Runner, metrics: Metrics
) -> None:
    with pytest.raises((TimedOut, Flooded)):
        await runner.run(script(SCRIPTS[name], mark=name), timeout_s=0.3, max_output_bytes=100_000)

    assert (marked(name), zombies()) == ([], [])


async def test_what_slips_into_another_session_is_found_too(runner: Runner) -> None:
    finished = await runner.run(script(SCRIPTS["leaving"], mark="leaving"))

    assert finished.status == 0
    assert (marked("leaving"), zombies(), children()) == ([], [], [])


async def test_who_ends_when_asked_is_given_the_time(runner: Runner) -> None:
    text = f"trap 'echo bye; exit 0' TERM; echo ready; {ENDLESS.replace('sleep 100', 'sleep 0.01')}"
    async with runner.start(script(text, grace_s=10), stdout=True) as child:
        assert child.stdout is not None
        await child.stdout.readline()

        assert await child.end() == 0
        assert await child.stdout.read() == b"bye\n"


async def test_a_child_runs_in_a_session_of_its_own_while_its_context_is_open(runner: Runner) -> None:
    async with runner.start(script(ENDLESS, mark="alone")) as child:
        assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
        before = child.status

    assert (before, child.status) == (None, -signal.SIGTERM)
    assert marked("alone") == []


async def test_a_child_that_ends_by_itself_is_noticed(runner: Runner) -> None:
    async with runner.start(script("exit 5")) as child:
        assert await child.wait() == 5


async def test_a_child_whose_output_nobody_reads_can_be_ended(runner: Runner) -> None:
    async with runner.start(script(SCRIPTS["flooding"]), stdout=True) as child:
        await asyncio.sleep(0.05)

    assert child.status == -signal.SIGTERM


async def test_cancelling_ends_it_too(runner: Runner) -> None:
    running = asyncio.ensure_future(runner.run(script(SCRIPTS["hanging"], mark="cancelled")))
    await until(lambda: bool(marked("cancelled")))

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (marked("cancelled"), children()) == ([], [])


async def test_a_program_dies_with_its_killed_supervisor(runner: Runner) -> None:
    async with runner.start(script("exec sleep 100", mark="x")) as child:
        for pid in children():
            os.kill(pid, signal.SIGKILL)

        assert await child.wait() == -signal.SIGKILL
    await until(lambda: not marked("x"))


async def test_a_program_that_is_not_there_is_the_operators_business(runner: Runner, scratch: Path) -> None:
    with pytest.raises(Misconfigured, match="sh cannot be run: No such file"):
        await runner.run(Command(name="sh", argv=("/nowhere/sh",)))

    assert (children(), inside(scratch)) == ([], [])


async def test_a_home_that_is_not_there_is_said(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="sh cannot be started now: No such file"):
        await runner.run(script("true", home=tmp_path / "missing"))


async def test_figures_are_kept_by_program(runner: Runner, metrics: Metrics) -> None:
    await runner.run(script("true"))
    await runner.run(script("false"))
    with pytest.raises(TimedOut):
        await runner.run(script(ENDLESS), timeout_s=0.05)

    found = metrics.expose().decode()
    assert 'command_success_total{program="sh"} 1.0' in found
    assert 'command_timeout_total{program="sh"} 1.0' in found
    assert 'command_duration_seconds_count{program="sh"} 3.0' in found


async def test_what_an_earlier_program_left_is_removed_at_the_start(tmp_path: Path, metrics: Metrics) -> None:
    scratch = tmp_path / "run"
    (scratch / "old").mkdir(parents=True)

    async with open_runner(scratch, clock=SystemClock(), recorder=metrics) as runner:
        assert inside(scratch) == []
        await runner.run(script("true"))

    assert not scratch.exists()

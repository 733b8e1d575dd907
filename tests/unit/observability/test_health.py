import asyncio
from collections.abc import Awaitable, Callable

import pytest

from glimpser.observability.health import CheckResult, Health
from glimpser.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(clock, timeout_s=0.02, keep_s=1.0)


def answering(result: CheckResult) -> Callable[[], Awaitable[CheckResult]]:
    async def check() -> CheckResult:
        return result

    return check


class Counting:
    """A check that counts how often it is asked, and can be held."""

    def __init__(self) -> None:
        self.asked = 0
        self.result = CheckResult(ok=True)

    async def __call__(self) -> CheckResult:
        self.asked += 1
        await asyncio.sleep(0)
        return self.result


async def test_it_is_not_ready_until_it_is_started(health: Health) -> None:
    before = await health.ready()
    health.started()
    after = await health.ready()

    assert before == (False, {"program": CheckResult(ok=False, detail="starting")})
    assert after == (True, {"program": CheckResult(ok=True, detail="ready")})


async def test_it_is_not_ready_once_it_stops_and_stays_so(health: Health) -> None:
    health.started()
    health.stopping()
    health.started()

    ready, results = await health.ready()

    assert not ready
    assert results["program"].detail == health.gate == "stopping"


async def test_a_stop_is_seen_although_the_checks_are_kept(health: Health) -> None:
    health.started()
    assert (await health.ready())[0]

    health.stopping()

    assert not (await health.ready())[0]


async def test_one_failed_check_is_enough_and_says_why(health: Health) -> None:
    health.started()
    health.add("database", answering(CheckResult(ok=True)))
    health.add("disk", answering(CheckResult(ok=False, detail="1 % free")))

    ready, results = await health.ready()

    assert not ready
    assert results["database"] == CheckResult(ok=True, detail="")
    assert results["disk"] == CheckResult(ok=False, detail="1 % free")


async def test_a_check_that_hangs_is_given_up(health: Health) -> None:
    async def hang() -> CheckResult:
        await asyncio.Event().wait()
        return CheckResult(ok=True)

    health.started()
    health.add("database", hang)
    health.add("disk", answering(CheckResult(ok=True)))

    ready, results = await health.ready()

    assert not ready
    assert results["database"] == CheckResult(ok=False, detail="no answer within 0.02 s")
    assert results["disk"].ok


async def test_a_check_that_fails_itself_shows_no_secret_and_hides_no_other(health: Health) -> None:
    async def explode() -> CheckResult:
        raise RuntimeError("at rtsp://user:password@host")

    health.started()
    health.add("database", explode)
    health.add("disk", answering(CheckResult(ok=True)))

    ready, results = await health.ready()

    assert not ready
    assert not results["database"].ok
    assert "password" not in results["database"].detail
    assert results["disk"].ok


async def test_many_who_ask_at_once_cost_one_check(health: Health) -> None:
    check = Counting()
    health.add("database", check)

    answers = await asyncio.gather(*(health.ready() for _ in range(50)))

    assert check.asked == 1
    assert all(results["database"].ok for _, results in answers)


async def test_an_answer_is_kept_for_a_moment_and_then_made_anew(health: Health, clock: FakeClock) -> None:
    check = Counting()
    health.add("database", check)
    await health.ready()
    check.result = CheckResult(ok=False, detail="away")

    clock.advance(0.9)
    kept = await health.ready()
    clock.advance(0.1)
    anew = await health.ready()

    assert kept[1]["database"].ok
    assert anew[1]["database"] == CheckResult(ok=False, detail="away")


async def test_a_check_added_later_is_asked_at_once(health: Health) -> None:
    await health.ready()

    health.add("disk", answering(CheckResult(ok=True, detail="half full")))

    assert (await health.ready())[1]["disk"].detail == "half full"


async def test_who_stops_asking_does_not_spoil_the_answer_for_others(health: Health) -> None:
    health.started()
    check = Counting()
    health.add("database", check)

    async with asyncio.TaskGroup() as group:
        impatient = group.create_task(health.ready())
        await asyncio.sleep(0)
        impatient.cancel()

    assert (await health.ready())[0]

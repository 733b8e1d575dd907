"""What every database keeps to as the record of jobs: each is run, by one at a time, and none is lost."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from glimpser.core.errors import Conflict, NotFound
from glimpser.core.ids import JobId, new_id
from glimpser.core.jobs import Job, JobFilter
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from tests.contract.given import add, every_page
from tests.contract.samples import VIEW, at, job

pytestmark = pytest.mark.anyio

KINDS = ("deliver", "capture")
LEASE_S = 30.0


async def claim(database: Database, seconds: float, limit: int = 100) -> list[Job]:
    def work(tx: Transaction) -> Sequence[Job]:
        return tx.jobs.claim(KINDS, limit=limit, now=at(seconds), lease_until=at(seconds + LEASE_S))

    return list(await database.write(work))


async def try_to_write(database: Database, value: Job, fence: int) -> tuple[bool, bool]:
    """Extend, then finish."""
    return await database.write(
        lambda tx: (
            tx.jobs.extend(value.id, fence=fence, lease_until=at(LEASE_S * 3)),
            tx.jobs.finish(value, fence=fence),
        )
    )


async def unfinished(database: Database) -> list[Job]:
    return list(await database.read(lambda tx: tx.jobs.unfinished(None, 100)))


async def test_gives_back_every_field(database: Database) -> None:
    saved = job(
        status="success",
        priority=-5,
        template_id=VIEW,
        idempotency_key="once",
        started_at=at(1),
        ended_at=at(2),
        attempts=3,
        max_attempts=4,
        lease_until=at(5),
        fence=6,
        progress=0.5,
        step="half",
        result={"size": 7},
        error="none",
    )

    await add(database, saved)

    assert await database.read(lambda tx: tx.jobs.get(saved.id)) == saved


async def test_does_not_know_another_id(database: Database) -> None:
    with pytest.raises(NotFound):
        await database.read(lambda tx: tx.jobs.get(JobId(new_id())))


async def test_adds_a_key_once(database: Database) -> None:
    first, again = job(1, idempotency_key="once"), job(2, idempotency_key="once")
    without = [job(3), job(4)]

    added = await database.write(lambda tx: [tx.jobs.add(each) for each in (first, again, *without)])

    assert added == [True, False, True, True]
    assert await unfinished(database) == [first, *without]


async def test_a_claimed_job_runs_under_the_next_fence(database: Database) -> None:
    saved = job(fence=4, attempts=2)
    await add(database, saved)

    claimed = await claim(database, 9)

    running = replace(
        saved, status="running", started_at=at(9), lease_until=at(9 + LEASE_S), fence=5, attempts=3
    )
    assert claimed == [running]
    assert await database.read(lambda tx: tx.jobs.get(saved.id)) == running


async def test_claims_what_is_due_by_priority_and_age(database: Database) -> None:
    urgent, late = job(5, priority=9), job(4)
    early, same = job(2, kind="capture"), job(3, scheduled_for=at(2))
    low, not_due = job(1, priority=-9), [job(7), job(8, priority=9)]
    await add(database, late, low, *not_due, same, urgent, early, job(1, kind="export"))

    claimed = await claim(database, 6)

    assert [each.id for each in claimed] == [urgent.id, early.id, same.id, late.id, low.id]


async def test_claims_no_more_than_asked_for_and_each_once(database: Database) -> None:
    saved = [job(number, kind=KINDS[number % 2]) for number in range(5)]
    await add(database, *saved)

    claimed = await asyncio.gather(*(claim(database, 9, limit=2) for _ in range(4)))

    assert [len(batch) for batch in claimed] == [2, 2, 1, 0]
    assert [each.id for batch in claimed for each in batch] == [each.id for each in saved]


async def test_claims_nothing_of_no_kind(database: Database) -> None:
    await add(database, job())

    claimed = await database.write(lambda tx: tx.jobs.claim((), limit=5, now=at(1), lease_until=at(LEASE_S)))

    assert claimed == []


async def test_a_job_whose_lease_ran_out_is_claimed_first(database: Database) -> None:
    lost, waiting = job(1), job(2, priority=9)
    await add(database, lost)
    await claim(database, 3)

    early = await claim(database, 3 + LEASE_S - 0.001)
    await add(database, waiting, job(1, kind="export", status="running", lease_until=at(3)))
    at_its_end = await claim(database, 3 + LEASE_S, limit=1)

    assert early == []
    assert [(each.id, each.fence, each.attempts) for each in at_its_end] == [(lost.id, 2, 2)]


async def test_an_extended_lease_keeps_the_job(database: Database) -> None:
    saved = job()
    await add(database, saved)
    await claim(database, 0)

    kept = await database.write(lambda tx: tx.jobs.extend(saved.id, fence=1, lease_until=at(2 * LEASE_S)))

    assert kept
    assert await claim(database, LEASE_S) == []
    assert len(await claim(database, 2 * LEASE_S)) == 1


async def test_an_end_is_written_and_nothing_else(database: Database) -> None:
    saved = job()
    await add(database, saved)
    [claimed] = await claim(database, 1)
    ended = replace(
        claimed,
        status="failure",
        ended_at=at(5),
        progress=0.5,
        step="half",
        result={"size": 7},
        error="no route",
        lease_until=None,
    )

    finished = await database.write(
        lambda tx: tx.jobs.finish(replace(ended, kind="other", attempts=9, started_at=None), fence=1)
    )

    assert finished
    assert await database.read(lambda tx: tx.jobs.get(saved.id)) == ended
    assert await claim(database, 999) == []


async def test_a_retried_job_waits_for_its_time(database: Database) -> None:
    await add(database, job())
    [claimed] = await claim(database, 1)
    retried = replace(claimed, status="pending", scheduled_for=at(60), error="busy", lease_until=None)

    await database.write(lambda tx: tx.jobs.finish(retried, fence=1))

    assert await unfinished(database) == [retried]
    assert await claim(database, 59) == []
    assert [each.fence for each in await claim(database, 60)] == [2]


async def test_a_claim_that_came_to_nothing_is_given_back_uncounted(database: Database) -> None:
    saved = job(attempts=3)
    await add(database, saved)
    [claimed] = await claim(database, 1)

    released = await database.write(lambda tx: tx.jobs.release(saved.id, fence=1))
    again = await database.write(lambda tx: tx.jobs.release(saved.id, fence=1))

    assert (claimed.attempts, released, again) == (4, True, False)
    assert await unfinished(database) == [replace(saved, fence=1, started_at=at(1))]
    assert [(each.fence, each.attempts) for each in await claim(database, 1)] == [(2, 4)]


async def test_whoever_lost_a_claim_writes_nothing(database: Database) -> None:
    saved = job()
    await add(database, saved)
    [slow] = await claim(database, 0)
    [held] = await claim(database, LEASE_S)
    late = partial(try_to_write, database, replace(slow, status="success"), slow.fence)

    while_another_holds_it = await late()
    untouched = await database.read(lambda tx: tx.jobs.get(saved.id))
    own = await try_to_write(database, replace(held, status="pending"), held.fence)
    while_it_waits = await late()
    own_again = await try_to_write(database, replace(held, status="success"), held.fence)

    assert while_another_holds_it == (False, False)
    assert untouched == held
    assert own == (True, True)
    assert while_it_waits == own_again == (False, False)


async def test_finishing_with_the_status_running_is_a_mistake(database: Database) -> None:
    await add(database, job())
    [claimed] = await claim(database, 1)

    with pytest.raises(ValueError, match="claim"):
        await database.write(lambda tx: tx.jobs.finish(claimed, fence=1))

    assert await unfinished(database) == [claimed]


async def test_walks_those_that_are_not_finished(database: Database) -> None:
    saved = [job(number, status=("pending", "running")[number % 2]) for number in range(4)]
    await add(database, *saved, job(5, status="success"), job(6, status="dead"))

    first, second = await database.read(
        lambda tx: (tx.jobs.unfinished(None, 3), tx.jobs.unfinished(saved[2].id, 3))
    )

    assert first == saved[:3]
    assert second == saved[3:]


@pytest.mark.parametrize("changes", [{"status": "odd"}, {"progress": 1.5}])
async def test_refuses_what_cannot_be(database: Database, changes: dict[str, Any]) -> None:
    with pytest.raises(Conflict):
        await add(database, job(**changes))


# Verbs -----------------------------------------------------------------------------------------------


async def test_finds_a_job_by_its_key(database: Database) -> None:
    saved = job(idempotency_key="once")
    await add(database, saved)

    found = await database.read(lambda tx: (tx.jobs.by_key("once"), tx.jobs.by_key("other")))

    assert found == (saved, None)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"kind": "deliver"}, [3, 1]),
        ({"status": "dead"}, [2, 1]),
        ({"template_id": VIEW}, [1]),
        ({"kind": "capture", "status": "dead"}, [2]),
        ({"kind": "export"}, []),
    ],
    ids=str,
)
@pytest.mark.parametrize("limit", [1, 10])
async def test_lists_the_newest_first(
    database: Database, where: dict[str, Any], expected: list[int], limit: int
) -> None:
    saved = {
        1: job(1, status="dead", template_id=VIEW),
        2: job(2, kind="capture", status="dead"),
        3: job(3),
    }
    await add(database, *saved.values())

    found = await every_page(database, lambda tx, page: tx.jobs.list(JobFilter(**where), page), limit)

    assert found == [saved[number] for number in expected]


async def test_a_job_put_off_is_due_later_and_uncounted(database: Database) -> None:
    saved = job()
    await add(database, saved)
    await claim(database, 1)

    await database.write(lambda tx: tx.jobs.release(saved.id, fence=1, until=at(60)))

    assert await unfinished(database) == [replace(saved, fence=1, started_at=at(1), scheduled_for=at(60))]
    assert await claim(database, 59) == []


async def test_notes_how_far_a_job_has_come_until_its_claim_is_lost(database: Database) -> None:
    saved = job()
    await add(database, saved)
    await claim(database, 0)

    told = await database.write(lambda tx: tx.jobs.report(saved.id, fence=1, progress=0.5, step="half"))
    [running] = await unfinished(database)
    [again] = await claim(database, LEASE_S)
    late = await database.write(lambda tx: tx.jobs.report(saved.id, fence=1, progress=0.9, step="late"))

    assert (told, running.progress, running.step) == (True, 0.5, "half")
    assert (late, again.progress, again.step) == (False, None, None)


async def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_is_asked_to_end(
    database: Database,
) -> None:
    waiting, running = job(1), job(2, kind="capture")
    await add(database, running)
    await claim(database, 3)
    await add(database, waiting)
    ended = replace(waiting, status="cancelled", ended_at=at(9), error="no")

    cancelled = await database.write(
        lambda tx: [tx.jobs.cancel(replace(each, ended_at=at(9), error="no")) for each in (waiting, running)]
    )
    asked = await database.write(lambda tx: [tx.jobs.request_cancel(each.id) for each in (waiting, running)])
    to_end = await database.read(lambda tx: (tx.jobs.cancelling(KINDS), tx.jobs.cancelling(["deliver"])))

    assert (cancelled, asked) == ([True, False], [False, True])
    assert to_end == ([running.id], [])
    assert await database.read(lambda tx: tx.jobs.get(waiting.id)) == ended
    assert [each.id for each in await claim(database, 5)] == []


@pytest.mark.parametrize("status", ["failure", "dead", "cancelled"])
async def test_a_job_that_came_to_nothing_begins_anew(database: Database, status: Any) -> None:
    saved = job(
        status=status,
        attempts=9,
        fence=9,
        started_at=at(1),
        ended_at=at(2),
        error="no",
        progress=0.1,
        step="x",
    )
    await add(database, saved)

    replayed = [await database.write(lambda tx: tx.jobs.replay(saved.id, now=at(5))) for _ in range(2)]

    assert replayed == [True, False]
    anew = job(scheduled_for=at(5), created_at=saved.created_at, fence=9)
    assert await unfinished(database) == [replace(anew, id=saved.id, payload=saved.payload)]


@pytest.mark.parametrize("status", ["pending", "running", "success", "skipped"])
async def test_what_succeeded_or_goes_on_does_not_begin_anew(database: Database, status: Any) -> None:
    saved = job(status=status)
    await add(database, saved)

    assert not await database.write(lambda tx: tx.jobs.replay(saved.id, now=at(5)))
    assert await database.read(lambda tx: tx.jobs.get(saved.id)) == saved


async def test_deletes_the_oldest_that_have_ended_and_no_others(database: Database) -> None:
    ended = [job(number, status="success", ended_at=at(10 - number)) for number in range(5)]
    await add(database, *ended, job(9), job(9, status="running", lease_until=at(99)))

    nth = await database.read(lambda tx: [tx.jobs.nth_end(number) for number in (0, 4, 5)])
    deleted = [await database.write(lambda tx: tx.jobs.purge(before=at(9), limit=2)) for _ in range(3)]

    left = await every_page(database, lambda tx, page: tx.jobs.list(JobFilter(), page), 10)
    assert (nth, deleted) == ([at(10), at(6), None], [2, 1, 0])
    assert {each.id for each in left if each.ended_at} == {ended[0].id, ended[1].id}
    assert len(left) == 4

"""`glimpser job …` and `glimpser schedule …`, without a program that runs."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glimpser.app.work import open_work
from glimpser.cli import app
from glimpser.commands.options import load_quietly
from glimpser.core.errors import GlimpserError, InvalidInput, NotFound

SPARE = "01JDSPARE000000000000000A0"


def ask(*words: str) -> str:
    """Give what a command prints; what it raises comes through."""
    result = CliRunner().invoke(app, words)
    if isinstance(result.exception, GlimpserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_tells_when_it_is_time_next() -> None:
    words = ("schedule", "next", "30 2 * * *", "--timezone", "Europe/Berlin", "--count", "2")

    told = ask(*words, "--from", "2026-03-28T12:00:00Z")
    document = json.loads(ask(*words, "--from", "2026-03-28T13:00:00+01:00", "--json"))

    assert told.splitlines() == [
        "At 02:30 every day (Europe/Berlin)",
        "2026-03-29T01:00:00Z  Sun 2026-03-29 03:00:00 CEST",
        "2026-03-30T00:30:00Z  Mon 2026-03-30 02:30:00 CEST",
    ]
    assert document["next_runs"] == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]


@pytest.mark.parametrize(
    ("words", "pointer"),
    [
        (("schedule", "next", "61 * * * *"), "/schedule"),
        (("schedule", "next", "@daily", "--timezone", "Mars/Olympus"), "/timezone"),
        (("schedule", "next", "@daily", "--from", "yesterday"), "--from"),
        (("job", "list", "--status", "odd"), "--status"),
    ],
)
def test_what_cannot_be_used_is_named(words: tuple[str, ...], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(*words)

    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_jobs_are_listed_cancelled_and_tried_again(data_dir: Path) -> None:
    here = ("--data-dir", str(data_dir))

    async def submit() -> str:
        async with open_work(load_quietly(data_dir)) as work:
            return await work.jobs.submit("capture", {"action": "snapshot"})

    job_id = asyncio.run(submit())

    [listed] = json.loads(ask("job", "list", "--kind", "capture", "--json", *here))
    cancelled = json.loads(ask("job", "cancel", job_id, "--json", *here))
    retried = json.loads(ask("job", "retry", job_id, "--json", *here))

    assert (listed["id"], listed["status"], listed["max_attempts"]) == (job_id, "pending", 3)
    assert (cancelled["status"], retried["status"]) == ("cancelled", "pending")
    assert f"{job_id}  " in ask("job", "list", *here)


@pytest.mark.parametrize(
    "words",
    [
        ("job", "show", SPARE),
        ("job", "cancel", "odd"),
        ("job", "retry", SPARE),
        ("schedule", "pause", SPARE),
        ("schedule", "resume", "odd"),
        ("schedule", "trigger", SPARE),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_not_found(data_dir: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(NotFound):
        ask(*words, "--data-dir", str(data_dir))


def test_without_schedules_there_are_none(data_dir: Path) -> None:
    assert json.loads(ask("schedule", "list", "--json", "--data-dir", str(data_dir))) == []

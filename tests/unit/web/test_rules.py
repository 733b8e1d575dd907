"""Trying rules over HTTP."""

from typing import Any

import pytest

from glimpser.core.accounts import Role
from tests.web_world import World

pytestmark = pytest.mark.anyio

PATH = "/api/admin/rules/test"
EVENT = {"kind": "motion", "metadata": {"score": 0.5, "zones": ["door"]}}
LOUD = {"name": "Loud", "when": {"min_score": 0.4}}
NIGHT = {"name": "Night", "quiet_hours": [{"from": "08:00", "to": "22:00"}], "timezone": "Europe/Berlin"}
OTHER = {"name": "Other", "when": {"event": "change"}}


async def verdict(world: World, **body: object) -> Any:
    answer = await world.client.post(PATH, json=body, headers=await world.sign_in(Role.OPERATOR))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_verdict_names_its_reason_and_every_question(world: World) -> None:
    found = await verdict(world, rules=[LOUD], event=EVENT)

    assert (found["decision"], found["reason"]) == ("fire", "Everything the rule asks for is there.")
    assert [step["step"] for step in found["trace"]] == [
        *("enabled", "event", "score", "zone"),
        *("event_once", "quiet_hours", "dedupe"),
    ]
    assert found["trace"][2] == {
        "step": "score",
        "ok": True,
        "detail": "The score is 0.5, the rule wants at least 0.4.",
    }


async def test_of_several_rules_the_one_that_does_most_decides(world: World) -> None:
    found = await verdict(world, rules=[OTHER, NIGHT, LOUD], event=EVENT)
    silent = await verdict(world, rules=[OTHER, NIGHT], event=EVENT)
    none = await verdict(world, rules=[OTHER], event=EVENT)
    empty = await verdict(world, rules=[], event=EVENT)

    assert [item["decision"] for item in (found, silent, none, empty)] == [
        *("fire", "suppress", "no_match"),
        "no_match",
    ]
    assert [(item["name"], item["decision"]) for item in found["results"]] == [
        ("Other", "no_match"),
        ("Night", "suppress"),
        ("Loud", "fire"),
    ]
    assert silent["reason"] == "Thu 13:00 in Europe/Berlin is inside the quiet hours."


@pytest.mark.parametrize(
    ("at", "decision"),
    [
        ("2026-01-01T20:59:59Z", "suppress"),
        ("2026-01-01T21:00:00Z", "fire"),
        ("2026-01-01T22:00:00+01:00", "fire"),
        ("2026-07-01T20:30:00Z", "fire"),  # summer time
    ],
)
async def test_the_time_of_the_trial_can_be_chosen(world: World, at: str, decision: str) -> None:
    assert (await verdict(world, rules=[NIGHT], event=EVENT, at=at))["decision"] == decision


async def test_the_silence_after_a_rule_fired_can_be_tried(world: World) -> None:
    rule = {"name": "Rare", "dedupe_s": 60}

    early = await verdict(world, rules=[rule], event=EVENT, last_fired_at="2026-01-01T11:59:01Z")
    late = await verdict(world, rules=[rule], event=EVENT, last_fired_at="2026-01-01T11:59:00Z")

    assert (early["decision"], late["decision"]) == ("suppress", "fire")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"rules": [{"name": "x", "when": {"min_score": "high"}}]}, "/rules/0/when/min_score"),
        ({"rules": [{"name": "x", "timezone": "Mars"}]}, "/rules/0/timezone"),
        ({"rules": {}}, "/rules"),
        ({"event": {"kind": 5}}, "/event/kind"),
        ({"event": None}, "/event"),
        ({"at": "noon"}, "/at"),
        ({"at": "2026-01-01T12:00:00"}, "/at"),
        ({"at": 0}, "/at"),
        ({"at": "1767268800"}, "/at"),
        ({"at": "0001-01-01T00:00:00Z"}, "/at"),
        ({"at": "9999-12-31T23:59:59Z"}, "/at"),
        ({"surprise": 1}, "/surprise"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_cannot_be_tried_is_refused_at_its_field(
    world: World, change: dict[str, object], pointer: str
) -> None:
    body = {"rules": [LOUD], "event": EVENT} | change

    answer = await world.client.post(PATH, json=body, headers=await world.sign_in())

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("at", ["0001-01-03T00:00:00Z", "9999-12-29T23:59:59Z"])
@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Etc/GMT+12"])
async def test_rules_know_the_hour_wherever_a_time_is_taken(world: World, at: str, timezone: str) -> None:
    rule = LOUD | {
        "timezone": timezone,
        "quiet_hours": [{"from": "22:00", "to": "21:59"}],
        "dedupe_s": 86_400,
    }

    answer = await verdict(world, rules=[rule], event=EVENT, at=at, last_fired_at=at)

    assert answer["decision"] == "suppress"

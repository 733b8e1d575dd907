"""Rules as the API writes them: taken whole, or refused at the field."""

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput
from glimpser.core.events import Level
from glimpser.core.ids import is_id, new_id
from glimpser.core.rules import Condition, QuietHours, Rule
from glimpser.rules.parse import check_zones, parse_rule, parse_rules, rule_values

RULE_ID, CHANNEL = "01M80000000000000000000001", "01M80000000000000000000002"
FULL: dict[str, Any] = {
    "id": RULE_ID,
    "name": "Night watch",
    "enabled": False,
    "when": {"event": "motion", "min_score": 0.25, "zone": "door"},
    "dedupe_s": 300.0,
    "quiet_hours": [{"days": ["mon", "sun"], "from": "22:00", "to": "06:30"}],
    "timezone": "Europe/Berlin",
    "level": "error",
    "channels": [CHANNEL],
}


def test_a_whole_rule_is_taken_and_written_as_it_was() -> None:
    rule = parse_rule(FULL)

    assert rule == Rule(
        id=rule.id,
        name="Night watch",
        enabled=False,
        when=Condition(event="motion", min_score=0.25, zone="door"),
        dedupe_s=300,
        quiet_hours=(QuietHours(days=("mon", "sun"), start=time(22), end=time(6, 30)),),
        timezone="Europe/Berlin",
        level=Level.ERROR,
        channels=rule.channels,
    )
    assert rule_values(rule) == FULL


def test_what_is_left_out_has_its_default_and_an_id_is_made() -> None:
    rule = parse_rule({"name": " Any motion "})

    assert is_id(rule.id)
    assert rule == Rule(id=rule.id, name="Any motion")
    assert parse_rule(rule_values(rule)) == rule


def test_days_come_in_their_order_and_channels_once() -> None:
    hours = {"days": ["sun", "mon", "sun"], "from": "00:00", "to": "23:59"}

    rule = parse_rule({"name": "x", "quiet_hours": [hours], "channels": [CHANNEL, CHANNEL]})

    assert rule.quiet_hours[0].days == ("mon", "sun")
    assert rule.channels == (CHANNEL,)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": 5}, "/name"),
        ({"id": "1"}, "/id"),
        ({"id": RULE_ID.lower()}, "/id"),
        ({"enabled": "yes"}, "/enabled"),
        ({"enabled": 1}, "/enabled"),
        ({"when": []}, "/when"),
        ({"when": {"event": "Motion; DROP"}}, "/when/event"),
        ({"when": {"event": ""}}, "/when/event"),
        ({"when": {"min_score": 1.01}}, "/when/min_score"),
        ({"when": {"min_score": -0.01}}, "/when/min_score"),
        ({"when": {"min_score": float("nan")}}, "/when/min_score"),
        ({"when": {"min_score": True}}, "/when/min_score"),
        ({"when": {"min_score": "0.5"}}, "/when/min_score"),
        ({"when": {"zone": ""}}, "/when/zone"),
        ({"when": {"a/b~c": 1}}, "/when/a~1b~0c"),
        ({"dedupe_s": -1}, "/dedupe_s"),
        ({"dedupe_s": 2_592_001}, "/dedupe_s"),
        ({"dedupe_s": float("inf")}, "/dedupe_s"),
        ({"quiet_hours": {}}, "/quiet_hours"),
        ({"quiet_hours": [{"from": "24:00", "to": "06:00"}]}, "/quiet_hours/0/from"),
        ({"quiet_hours": [{"from": "22:00", "to": "6:00"}]}, "/quiet_hours/0/to"),
        ({"quiet_hours": [{"from": "22:00", "to": "06:00:00"}]}, "/quiet_hours/0/to"),
        ({"quiet_hours": [{"from": "22:00", "to": "06:00\n"}]}, "/quiet_hours/0/to"),
        ({"quiet_hours": [{"from": "\u0662\u0662:00", "to": "06:00"}]}, "/quiet_hours/0/from"),
        ({"quiet_hours": [{"from": "22:00"}]}, "/quiet_hours/0/to"),
        ({"quiet_hours": [{"days": [], "from": "22:00", "to": "06:00"}]}, "/quiet_hours/0/days"),
        ({"quiet_hours": [{"days": ["monday"], "from": "22:00", "to": "06:00"}]}, "/quiet_hours/0/days/0"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"timezone": None}, "/timezone"),
        ({"level": "fatal"}, "/level"),
        ({"level": 40}, "/level"),
        ({"channels": ["door"]}, "/channels/0"),
        ({"channels": CHANNEL}, "/channels"),
        ({"surprise": 1}, "/surprise"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_used_is_refused_at_its_field(change: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rules([FULL, FULL | {"id": new_id()} | change])

    assert [error.pointer for error in refused.value.errors] == [f"/rules/1{pointer}"]


@pytest.mark.parametrize("when", [{"min_score": 0}, {"min_score": 1}, {"event": "capture.failed"}])
def test_the_bounds_themselves_are_taken(when: dict[str, object]) -> None:
    rule = parse_rule({"name": "x", "when": when, "dedupe_s": 2_592_000})

    assert rule.dedupe_s == 2_592_000


@pytest.mark.parametrize("value", [None, 5, "rule", [], [1]])
def test_what_is_no_object_is_no_rule(value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rules([value])

    assert refused.value.errors[0].pointer == "/rules/0"


def test_two_rules_with_one_id_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_rules([FULL, FULL])

    assert refused.value.errors[0].pointer == "/rules/1/id"
    assert len(parse_rules([FULL, FULL | {"id": None}])) == 2


def test_there_is_a_limit_to_their_number() -> None:
    assert len(parse_rules([{"name": "x"}] * 32)) == 32
    with pytest.raises(InvalidInput, match="At most 32"):
        parse_rules([{"name": "x"}] * 33)


def test_a_rule_about_a_zone_that_is_not_there_is_refused() -> None:
    rules = parse_rules([{"name": "x"}, FULL])
    check_zones(rules, ["door"])

    with pytest.raises(InvalidInput) as refused:
        check_zones(rules, ["roof"])

    assert [error.pointer for error in refused.value.errors] == ["/rules/1/when/zone"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FULL]), inner, max_size=4),
    max_leaves=8,
)


@given(change=st.dictionaries(st.sampled_from([*FULL]), JSON, max_size=3))
def test_whatever_is_sent_is_a_rule_or_a_refusal_with_pointers(change: dict[str, Any]) -> None:
    sent = FULL | change
    try:
        rule = parse_rule(sent)
    except InvalidInput as refused:
        pointers = [error.pointer for error in refused.errors]
    else:
        pointers = []
        assert parse_rule(rule_values(rule)) == rule

    assert all(pointer.startswith("/") for pointer in pointers)

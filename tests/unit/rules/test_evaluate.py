"""What a rule decides, and why."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from glimpser.core.events import Event, Level
from glimpser.core.ids import EventId, RuleId, TemplateId, new_id
from glimpser.core.rules import Condition, QuietHours, Rule, RuleHistory
from glimpser.rules.evaluate import evaluate

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)  # a Thursday
NEVER = RuleHistory()
RULE = Rule(id=RuleId(new_id()), name="Night")
EVENT = Event(
    id=EventId(new_id()),
    template_id=TemplateId(new_id()),
    kind="motion",
    level=Level.INFO,
    message="Motion",
    metadata={"score": 0.5, "zones": ["door", "path"]},
    started_at=NOW,
    created_at=NOW,
)
NOON = QuietHours(start=time(11), end=time(13))


def ago(seconds: float, **changes: bool) -> RuleHistory:
    return RuleHistory(last_fired_at=NOW - timedelta(seconds=seconds), **changes)


def test_a_rule_that_asks_for_nothing_fires() -> None:
    verdict = evaluate(RULE, EVENT, NOW, NEVER)

    assert verdict.decision == "fire"
    assert [step.step for step in verdict.trace] == [
        *("enabled", "event", "score", "zone"),
        *("event_once", "quiet_hours", "dedupe"),
    ]
    assert all(step.ok and step.detail for step in verdict.trace)


@pytest.mark.parametrize(
    ("rule", "failed"),
    [
        (replace(RULE, enabled=False), "enabled"),
        (replace(RULE, when=Condition(event="change")), "event"),
        (replace(RULE, when=Condition(min_score=0.51)), "score"),
        (replace(RULE, when=Condition(zone="roof")), "zone"),
        (replace(RULE, when=Condition(zone="Door")), "zone"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_about_something_else_does_not_match(rule: Rule, failed: str) -> None:
    verdict = evaluate(rule, EVENT, NOW, ago(0, fired_for_event=True))

    [step, *_] = [step for step in verdict.trace if not step.ok]
    assert (verdict.decision, step.step, step.detail) == ("no_match", failed, verdict.reason)


@pytest.mark.parametrize(
    "when",
    [Condition(min_score=0.5), Condition(zone="path"), Condition(event="motion", zone="door", min_score=0.1)],
)
def test_the_least_that_is_asked_for_is_enough(when: Condition) -> None:
    assert evaluate(replace(RULE, when=when), EVENT, NOW, NEVER).decision == "fire"


@pytest.mark.parametrize(("min_score", "decision"), [(0.0, "fire"), (0.01, "no_match")])
def test_an_event_without_a_score_has_none_to_compare(min_score: float, decision: str) -> None:
    event = replace(EVENT, metadata={"score": "high"})

    assert (
        evaluate(replace(RULE, when=Condition(min_score=min_score)), event, NOW, NEVER).decision == decision
    )


@pytest.mark.parametrize("zones", [None, "door", 5, [], [["door"]]])
def test_an_event_that_tells_no_zones_is_in_none(zones: object) -> None:
    event = replace(EVENT, metadata={"zones": zones})

    assert evaluate(replace(RULE, when=Condition(zone="door")), event, NOW, NEVER).decision == "no_match"


@pytest.mark.parametrize(
    ("rule", "history", "failed"),
    [
        (RULE, ago(1e6, fired_for_event=True), "event_once"),
        (replace(RULE, quiet_hours=(NOON,)), NEVER, "quiet_hours"),
        (replace(RULE, dedupe_s=60), ago(0), "dedupe"),
        (replace(RULE, dedupe_s=60), ago(59.9), "dedupe"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_that_matches_may_be_silent(rule: Rule, history: RuleHistory, failed: str) -> None:
    verdict = evaluate(rule, EVENT, NOW, history)

    [step] = [step for step in verdict.trace if not step.ok]
    assert (verdict.decision, step.step, step.detail) == ("suppress", failed, verdict.reason)


@pytest.mark.parametrize(
    ("rule", "history"),
    [
        (replace(RULE, dedupe_s=60), ago(60)),
        (replace(RULE, dedupe_s=0), ago(0)),
        (replace(RULE, quiet_hours=(NOON,), timezone="Asia/Tokyo"), NEVER),
        (replace(RULE, quiet_hours=(replace(NOON, days=("wed", "fri")),)), NEVER),
    ],
)
def test_a_silence_that_is_over_or_elsewhere_silences_nobody(rule: Rule, history: RuleHistory) -> None:
    assert evaluate(rule, EVENT, NOW, history).decision == "fire"


def test_a_last_time_in_the_future_does_not_silence_a_rule_until_then() -> None:
    assert evaluate(replace(RULE, dedupe_s=60), EVENT, NOW, ago(-86_400 * 365)).decision == "fire"

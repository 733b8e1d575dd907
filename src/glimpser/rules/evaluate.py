"""What a rule decides about an event: a pure function, so that every decision can be tried and explained."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from glimpser.core.events import Event
from glimpser.core.local_time import is_within, zone_of
from glimpser.core.rules import Rule, RuleHistory, TraceStep, Verdict


def evaluate(rule: Rule, event: Event, now: datetime, history: RuleHistory) -> Verdict:
    """Ask all questions, in order; the first that fails decides.

    `no_match`: the rule is not about this event. `suppress`: it is, and is silent now. `now` is aware.
    The rule has been parsed, so that its time zone exists.
    """
    matching = tuple(_matches(rule, event))
    silent = tuple(_speaks(rule, now, history))
    if failed := _first_failed(matching):
        return Verdict("no_match", failed.detail, matching + silent)
    if failed := _first_failed(silent):
        return Verdict("suppress", failed.detail, matching + silent)
    return Verdict("fire", "Everything the rule asks for is there.", matching + silent)


def _first_failed(steps: Iterable[TraceStep]) -> TraceStep | None:
    return next((step for step in steps if not step.ok), None)


def decisive(verdicts: Sequence[Verdict]) -> Verdict:
    """Give the first verdict that decides over several rules: one that fires, else one that is silent."""
    for decision in ("fire", "suppress", "no_match"):
        for verdict in verdicts:
            if verdict.decision == decision:
                return verdict
    return Verdict("no_match", "There are no rules.", ())


def _matches(rule: Rule, event: Event) -> Iterator[TraceStep]:
    """Ask whether the rule is about this event."""
    when = rule.when
    yield TraceStep(
        "enabled", rule.enabled, "The rule is switched on." if rule.enabled else "The rule is switched off."
    )
    same = event.kind == when.event
    yield TraceStep("event", same, f"The event is {event.kind!r}, the rule wants {when.event!r}.")
    yield _score_step(rule, event)
    yield _zone_step(rule, event)


def _score_step(rule: Rule, event: Event) -> TraceStep:
    least, score = rule.when.min_score, event.metadata.get("score")
    if not isinstance(score, int | float):
        return TraceStep("score", least <= 0, f"The event has no score, the rule wants at least {least:g}.")
    return TraceStep("score", score >= least, f"The score is {score:g}, the rule wants at least {least:g}.")


def _zone_step(rule: Rule, event: Event) -> TraceStep:
    wanted, zones = rule.when.zone, event.metadata.get("zones")
    if wanted is None:
        return TraceStep("zone", ok=True, detail="The rule holds for the whole picture.")
    seen = [str(name) for name in zones] if isinstance(zones, list | tuple) else []
    where = ", ".join(map(repr, seen)) or "no zone"
    return TraceStep("zone", wanted in seen, f"It was in {where}, the rule wants {wanted!r}.")


def _speaks(rule: Rule, now: datetime, history: RuleHistory) -> Iterator[TraceStep]:
    """Ask whether a rule that matches is to be heard now."""
    fired = history.fired_for_event
    yield TraceStep(
        "event_once",
        not fired,
        "It has fired for this event already." if fired else "It has not fired for this event yet.",
    )
    yield _quiet_step(rule, now)
    yield _dedupe_step(rule, now, history.last_fired_at)


def _quiet_step(rule: Rule, now: datetime) -> TraceStep:
    if not rule.quiet_hours:
        return TraceStep("quiet_hours", ok=True, detail="There are no quiet hours.")
    local = now.astimezone(zone_of(rule.timezone))
    quiet = any(is_within(hours, local) for hours in rule.quiet_hours)
    inside = "inside" if quiet else "outside"
    return TraceStep(
        "quiet_hours", not quiet, f"{local:%a %H:%M} in {rule.timezone} is {inside} the quiet hours."
    )


def _dedupe_step(rule: Rule, now: datetime, last: datetime | None) -> TraceStep:
    """A last time in the future is one of a clock that was wrong: it silences nobody."""
    if last is None:
        return TraceStep("dedupe", ok=True, detail="It has never fired on this view.")
    elapsed = now - last
    silent = timedelta(0) <= elapsed < timedelta(seconds=rule.dedupe_s)
    return TraceStep(
        "dedupe",
        not silent,
        f"It last fired {elapsed.total_seconds():.0f} s ago and is silent for {rule.dedupe_s:g} s after.",
    )

"""Rules: trying them before they are used."""

from fastapi import Response

from glimpser.core.rules import RuleHistory
from glimpser.rules.evaluate import decisive, evaluate
from glimpser.rules.parse import check_ids, rule_of
from glimpser.web.alert_forms import RulesTestForm
from glimpser.web.shapes import Reply, RulesVerdictView, rule_verdict_view
from glimpser.web.wiring import Wired


async def try_out(form: RulesTestForm, services: Wired) -> Response:
    """Ask rules what they would do about an event. Nothing is kept and nobody is told."""
    rules = [rule_of(rule) for rule in form.rules]
    check_ids(rules)
    now = form.at or services.clock.now()
    history = RuleHistory(last_fired_at=form.last_fired_at)
    verdicts = [evaluate(rule, form.event.event(now), now, history) for rule in rules]
    decided = decisive(verdicts)
    return Reply(
        RulesVerdictView(
            decision=decided.decision,
            reason=decided.reason,
            trace=decided.trace,
            results=[rule_verdict_view(rule, verdict) for rule, verdict in zip(rules, verdicts, strict=True)],
        )
    )

"""What rules decide, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from glimpser.core.rules import Decision, Rule, TraceStep, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """What rules decide; `trace` are the questions that were asked."""

    decision: Decision
    reason: str
    trace: Sequence[TraceStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdictView(VerdictView):
    rule_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesVerdictView(VerdictView):
    """The verdict that decides, and those of all rules."""

    results: Sequence[RuleVerdictView]


def rule_verdict_view(rule: Rule, verdict: Verdict) -> RuleVerdictView:
    return RuleVerdictView(
        rule_id=rule.id,
        name=rule.name,
        decision=verdict.decision,
        reason=verdict.reason,
        trace=verdict.trace,
    )

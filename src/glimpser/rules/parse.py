"""Rules from outside, as plain JSON values of the public contract, and back."""

import re
from collections.abc import Collection, Sequence
from datetime import time
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from glimpser.config.models import parse_model, pointer_of
from glimpser.core.errors import FieldError, InvalidInput
from glimpser.core.events import Level
from glimpser.core.ids import ID_PATTERN, ChannelId, RuleId, is_id, new_id
from glimpser.core.local_time import DAYS, Hours, zone_of
from glimpser.core.rules import Condition, QuietHours, Rule
from glimpser.core.schedule import Window

MAX_RULES = 32
MAX_DEDUPE_S = 30 * 86_400

TIME_PATTERN = "([01][0-9]|2[0-3]):([0-5][0-9])"
_TIME = re.compile(TIME_PATTERN)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LevelName = Literal["debug", "info", "warning", "error", "critical"]


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("this is no id (26 characters, a ULID)")
    return text


def _zone(text: str) -> str:
    try:
        zone_of(text)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    return text


def _time_of_day(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError('write a time of day from "00:00" to "23:59"')
    return text


Id = Annotated[str, AfterValidator(_id), Field(json_schema_extra={"pattern": ID_PATTERN})]
TimeOfDay = Annotated[
    str, AfterValidator(_time_of_day), Field(json_schema_extra={"pattern": f"^{TIME_PATTERN}$"})
]
ZoneName = Annotated[str, AfterValidator(_zone)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class _Form(BaseModel):
    """JSON as it is; a name nobody knows is refused, so that a typing error is seen."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class ConditionForm(_Form):
    event: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,31})?$")] = "motion"
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.0
    zone: Name | None = None


class QuietHoursForm(_Form):
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = list(get_args(Day))
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")


class RuleForm(_Form):
    """A rule as the API shows it."""

    id: Id | None = None
    name: Name
    enabled: bool = True
    when: ConditionForm = ConditionForm()
    dedupe_s: Annotated[float, Field(ge=0, le=MAX_DEDUPE_S)] = 0.0
    quiet_hours: Annotated[list[QuietHoursForm], Field(max_length=16)] = []
    timezone: ZoneName = "UTC"
    level: LevelName = "warning"
    channels: Annotated[list[Id], Field(max_length=64)] = []


def parse_rule(value: object, pointer: str = "") -> Rule:
    """Make a rule of plain values that stand at `pointer`; one without an id gets one.

    Raises:
        InvalidInput: each error names its field by a pointer such as `/rules/0/when/min_score`.
    """
    return rule_of(parse_model(RuleForm, value, pointer=pointer))


def parse_rules(values: Sequence[object], pointer: str = "/rules") -> tuple[Rule, ...]:
    """Make the rules of a template.

    Raises:
        InvalidInput: as `parse_rule`, or there are too many, or two with one id.
    """
    if len(values) > MAX_RULES:
        raise InvalidInput.field(pointer, f"At most {MAX_RULES} rules.")
    rules: list[Rule] = []
    errors: list[FieldError] = []
    for index, value in enumerate(values):
        try:
            rules.append(parse_rule(value, f"{pointer}/{index}"))
        except InvalidInput as error:
            errors.extend(error.errors)
    if errors:
        raise InvalidInput("Some rules cannot be used.", errors)
    check_ids(rules, pointer)
    return tuple(rules)


def check_ids(rules: Sequence[Rule], pointer: str = "/rules") -> None:
    """Refuse two rules with one id, of which neither could be told from the other in its history.

    Raises:
        InvalidInput: there are such.
    """
    seen: set[RuleId] = set()
    for index, rule in enumerate(rules):
        if rule.id in seen:
            raise InvalidInput.field(f"{pointer}/{index}/id", "Another rule has this id: leave it out.")
        seen.add(rule.id)


def check_zones(rules: Sequence[Rule], names: Collection[str], pointer: str = "/rules") -> None:
    """Refuse rules about zones the template does not have: they would never fire.

    Raises:
        InvalidInput: it names each of them.
    """
    errors = [
        FieldError(pointer_of(pointer, (index, "when", "zone")), f"There is no zone {rule.when.zone!r}.")
        for index, rule in enumerate(rules)
        if rule.when.zone is not None and rule.when.zone not in names
    ]
    if errors:
        raise InvalidInput("Some rules are about zones that are not there.", errors)


def rule_of(form: RuleForm) -> Rule:
    """Make the core's rule of a form that has been validated."""
    return Rule(
        id=RuleId(form.id or new_id()),
        name=form.name,
        enabled=form.enabled,
        when=Condition(event=form.when.event, min_score=form.when.min_score, zone=form.when.zone),
        dedupe_s=form.dedupe_s,
        quiet_hours=tuple(_quiet_hours(hours) for hours in form.quiet_hours),
        timezone=form.timezone,
        level=Level[form.level.upper()],
        channels=tuple(ChannelId(channel) for channel in dict.fromkeys(form.channels)),
    )


def form_of(rule: Rule) -> RuleForm:
    """Make the form that `rule_of` makes the same rule of."""
    return RuleForm.model_validate(rule_values(rule))


def rule_values(rule: Rule) -> dict[str, object]:
    """Write a rule as plain values; `parse_rule` gives the same rule back."""
    return {
        "id": rule.id,
        "name": rule.name,
        "enabled": rule.enabled,
        "when": {"event": rule.when.event, "min_score": rule.when.min_score, "zone": rule.when.zone},
        "dedupe_s": rule.dedupe_s,
        "quiet_hours": [hours_values(hours) for hours in rule.quiet_hours],
        "timezone": rule.timezone,
        "level": rule.level.label,
        "channels": list(rule.channels),
    }


def _quiet_hours(form: QuietHoursForm) -> QuietHours:
    return QuietHours(
        days=_days(form), start=time.fromisoformat(form.start), end=time.fromisoformat(form.end)
    )


def window_of(form: QuietHoursForm) -> Window:
    """Make the core's window of a form that has been validated."""
    return Window(days=_days(form), start=time.fromisoformat(form.start), end=time.fromisoformat(form.end))


def hours_values(hours: Hours) -> dict[str, object]:
    """Write hours as plain values, as the form has them."""
    return {"days": list(hours.days), "from": f"{hours.start:%H:%M}", "to": f"{hours.end:%H:%M}"}


def _days(form: QuietHoursForm) -> tuple[str, ...]:
    return tuple(day for day in DAYS if day in form.days)

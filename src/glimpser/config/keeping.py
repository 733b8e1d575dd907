"""Settings of what is kept, and of what is made of it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from glimpser.config.kinds import WholeNumber, time_zone
from glimpser.config.section import Section, setting

Days = Annotated[WholeNumber, Field(ge=1, le=36_500)]
DAYS = "a whole number of days from 1 to 36500"


class Retention(Section):
    """How long things are kept. A view may have limits of its own for its pictures."""

    max_age_days: Days = setting(30, wants=DAYS, meaning="How long pictures and recordings are kept.")
    max_count: Annotated[WholeNumber, Field(ge=1)] | None = setting(
        None, wants="a whole number from 1 on", meaning="How many are kept of each view; the oldest go first."
    )
    max_bytes: Annotated[WholeNumber, Field(ge=1)] | None = setting(
        None,
        wants="a whole number of bytes from 1 on",
        meaning="How much is kept of each view, in bytes; the oldest go first.",
    )
    thin_after_days: Days | None = setting(
        None, wants=DAYS, meaning="Age from which on few are kept: one for each hour or day."
    )
    thin_to: Literal["hour", "day"] = setting(
        "hour", wants="hour or day", meaning="What one is kept for, in UTC."
    )
    total_count: Annotated[WholeNumber, Field(ge=1)] | None = setting(
        None, wants="a whole number from 1 on", meaning="How many are kept of all views together."
    )
    total_bytes: Annotated[WholeNumber, Field(ge=1)] | None = setting(
        None,
        wants="a whole number of bytes from 1 on",
        meaning="How much is kept of all views together, in bytes.",
    )
    history_days: Days = setting(
        90, wants=DAYS, meaning="How long events, captures, measured values and alerts are kept."
    )
    deleted_view_days: Days = setting(
        7, wants=DAYS, meaning="How long all this is kept of views that were deleted."
    )
    audit_days: Days = setting(365, wants=DAYS, meaning="How long entries of the audit log are kept.")
    audit_refusals: Annotated[WholeNumber, Field(ge=100, le=1_000_000)] = setting(
        10_000,
        wants="a whole number from 100 to 1000000",
        meaning="How many refused sign-ins, setups and changes of passwords it keeps, of each; "
        "the oldest go first.",
    )
    hour: Annotated[WholeNumber, Field(ge=0, le=23)] = setting(
        3,
        wants="a whole number from 0 to 23",
        meaning="Hour of the day (UTC) when the rest is removed.",
    )


class Exports(Section):
    """Films and archives made of stored pictures."""

    keep_days: Days = setting(7, wants=DAYS, meaning="How long exports are kept after they were made.")
    teaser_groups: tuple[str, ...] = setting(
        (),
        wants='a list of groups, like ["street"]',
        meaning="Groups of which a film of the newest seconds of each view is made every night.",
    )
    timezone: Annotated[str, AfterValidator(time_zone)] = setting(
        "UTC",
        wants="the name of a time zone, like Europe/Berlin",
        meaning="Clock of exports of groups, at whose midnight the nightly ones begin.",
    )

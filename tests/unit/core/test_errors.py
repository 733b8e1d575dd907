import inspect
import pickle

import pytest

from glimpser.core import errors
from glimpser.core.errors import (
    Conflict,
    Denied,
    FieldError,
    GlimpserError,
    InvalidInput,
    Precondition,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
)

ALL = [error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, GlimpserError)]


@pytest.mark.parametrize("error", ALL)
def test_every_error_carries_its_sentence(error: type[GlimpserError]) -> None:
    raised = error("The camera is away.")

    assert raised.detail == str(raised) == "The camera is away."


@pytest.mark.parametrize("error", ALL)
def test_every_error_stands_in_the_tree_at_the_top_of_the_module(error: type[GlimpserError]) -> None:
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error", ALL)
def test_every_error_survives_the_way_between_processes(error: type[GlimpserError]) -> None:
    raised = error("The camera is away.")

    arrived = pickle.loads(pickle.dumps(raised))

    assert type(arrived) is error
    assert arrived.detail == raised.detail


@pytest.mark.parametrize(
    ("special", "general"),
    [(Precondition, InvalidInput), (Stale, Conflict), (Unauthenticated, Denied), (TooMany, Denied)],
)
def test_who_handles_the_general_error_handles_the_special_one(
    special: type[GlimpserError], general: type[GlimpserError]
) -> None:
    assert issubclass(special, general)


def test_an_error_of_one_field_points_at_it() -> None:
    error = InvalidInput.field("/name", "must not be empty")

    assert error.errors == (FieldError("/name", "must not be empty"),)
    assert error.detail == "must not be empty"


def test_an_error_keeps_its_fields_when_the_caller_changes_its_list() -> None:
    fields = [FieldError("/name", "must not be empty")]

    error = InvalidInput("The input cannot be used.", fields)
    fields.clear()

    assert len(error.errors) == 1


@pytest.mark.parametrize("error", [Unavailable, TooMany])
def test_who_should_come_back_later_is_told_when(error: type[Unavailable] | type[TooMany]) -> None:
    assert error("later").retry_after_s == 5
    assert error("later", retry_after_s=30).retry_after_s == 30

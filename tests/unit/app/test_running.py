"""What ends the program is told as one sentence, however many tasks it ended."""

import pytest

from glimpser.app.running import only_cause
from glimpser.core.errors import Misconfigured

SENTENCE = Misconfigured("Mend it.")


@pytest.mark.parametrize("depth", [1, 3])
def test_the_one_error_for_a_person_is_found_in_any_depth(depth: int) -> None:
    group: ExceptionGroup[Exception] = ExceptionGroup("", [SENTENCE])
    for _ in range(depth - 1):
        group = ExceptionGroup("", [group])

    assert only_cause(group) is SENTENCE


@pytest.mark.parametrize("others", [[ValueError()], [SENTENCE, ValueError()]], ids=["other", "several"])
def test_failures_stay_what_they_are(others: list[Exception]) -> None:
    group = ExceptionGroup("", others)

    assert only_cause(group) is group

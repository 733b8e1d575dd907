import pytest

from tests.soak.failpoints import ALERT_PATH, ELSEWHERE, family, on_the_alert_path


def test_every_failpoint_is_known_to_be_on_the_alert_path_or_elsewhere() -> None:
    assert on_the_alert_path()


@pytest.mark.parametrize("path", sorted(ALERT_PATH))
def test_each_stage_of_the_alert_path_has_failpoints(path: str) -> None:
    assert any(family(name) == path for name in on_the_alert_path())


def test_no_failpoint_of_elsewhere_is_waited_for_while_alerting() -> None:
    assert not ELSEWHERE & {family(name) for name in on_the_alert_path()}

"""The golden matrix: every route and socket × everybody there could be, as a server that runs decides it.

After a change on purpose `just access-matrix` writes the file anew; its difference is what to review.
"""

import json

import pytest

from glimpser.core.accounts import Role
from glimpser.web.application import ROUTES
from glimpser.web.security import Access
from tests.contract.access import GOLDEN, IDENTITIES, Matrix, cells, explore

pytestmark = pytest.mark.anyio

OF_A_VIEW = ("{template_id}", "{event_id}", "{capture_id}", "{artifact_id}", "{alert_id}", "{job_id}")
NO_SESSION = ("POST /api/auth/logout", "POST /api/me/password")
"""What an API key has not."""
NOBODY = ("anonymous", "disabled user", "signed-out user", "revoked key", "expired key")


@pytest.fixture(scope="module")
def golden() -> Matrix:
    matrix: Matrix = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return matrix


async def test_the_server_lets_in_whom_the_golden_file_names_and_nobody_else(golden: Matrix) -> None:
    assert await explore() == golden


def test_no_route_and_nobody_is_left_out(golden: Matrix) -> None:
    assert golden.keys() == {name for name, _, _ in cells()}
    assert {frozenset(row) for row in golden.values()} == {frozenset(IDENTITIES)}


def test_the_golden_file_says_what_routes_declare(golden: Matrix) -> None:
    for row in ROUTES:
        access, outcomes = row.access.dependency, golden[f"{row.method} {row.path}"]
        assert isinstance(access, Access)
        for role in Role:
            let_in = access.role is None or role >= access.role
            assert (outcomes[f"{role.label} user"] != "403") == let_in, row


def test_nobody_gets_more_by_an_identity_that_is_over(golden: Matrix) -> None:
    for name, outcomes in golden.items():
        assert len({outcomes[nobody] for nobody in NOBODY}) == 1, name


def test_a_key_may_do_what_a_user_of_its_role_may(golden: Matrix) -> None:
    for name, outcomes in golden.items():
        as_user = {who: outcome for who, outcome in outcomes.items() if " user" in who[:14]}
        for who, outcome in as_user.items():
            key = outcomes.get(who.replace("user", "key"))
            assert key in (outcome, None) or name in NO_SESSION, (name, who)


def test_what_lies_in_another_group_is_not_there(golden: Matrix) -> None:
    for name, outcomes in golden.items():
        if any(parameter in name for parameter in OF_A_VIEW):
            for who in ("viewer user", "operator user", "viewer key", "operator key"):
                assert outcomes[f"{who} of another group"] in ("404", "403"), (name, who)
                assert outcomes[f"{who} of another group"] == "403" or outcomes[who] == "ok", (name, who)
            assert outcomes["admin user of another group"] == outcomes["admin user"]
            assert outcomes["viewer user of the group"] == outcomes["viewer user"]

"""EIO from the disk below the real program: nothing is acknowledged that is not durable, and it recovers."""

from pathlib import Path

import pytest

from tests.disk_world import Watched, failing_disk, fsck
from tests.program import OPEN_LOOPBACK, running, wait_for

pytestmark = pytest.mark.timeout(120)


@pytest.mark.parametrize("call", ["sync", "write"])
def test_what_the_disk_of_the_database_did_not_take_was_never_acknowledged(tmp_path: Path, call: str) -> None:
    disk = failing_disk(tmp_path, tmp_path / "data" / "glimpser.db")
    with (
        running(tmp_path / "data", {**OPEN_LOOPBACK, **disk.settings}) as program,
        program.set_up() as client,
    ):
        view = Watched(client)
        before = view.until_captured(besides=0)

        with disk.failing(call):
            refused = [view.add(f"Refused {number}") for number in range(20)]
            meanwhile = view.kept()
        after = view.until_captured(besides=len(meanwhile))
        added = view.add("Taken")
        unended = [one for one in view.captures() if (one["kind"], one["status"]) == ("snapshot", "running")]

        assert {answer.status_code for answer in refused} == {503}
        assert "disk that holds the database" in refused[-1].json()["detail"]
        assert set(before) <= set(meanwhile) <= set(after)
        assert len(unended) <= 1  # that of this second
        assert (added.status_code, view.names()) == (201, {"Sent", "Taken"})
        fsck(program)


@pytest.mark.parametrize("call", ["sync", "write"])
def test_no_picture_is_captured_that_its_disk_did_not_take(tmp_path: Path, call: str) -> None:
    objects = tmp_path / "objects"
    disk = failing_disk(tmp_path, objects)
    settings = {"GLIMPSER_STORAGE__OBJECT_STORE_URL": objects.as_uri()}
    with (
        running(tmp_path / "data", {**OPEN_LOOPBACK, **settings, **disk.settings}) as program,
        program.set_up() as client,
    ):
        view = Watched(client)
        view.until_captured(besides=0)

        with disk.failing(call):
            reasons = wait_for(
                lambda: [one["error"] for one in view.captures() if one["status"] == "failure"],
                what="a capture that failed",
            )
            meanwhile = view.kept()
            added = view.add("Meanwhile")
        view.until_captured(besides=len(meanwhile))

        assert "disk that holds the artifacts fails" in reasons[-1]
        assert added.status_code == 201
        assert not list((objects / ".new").iterdir())
        fsck(program, **settings)

"""No room for the database, or for the pictures: reads go on, writes say so, and it recovers by itself."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.disk_world import Watched, fsck, full, small_disk
from tests.program import OPEN_LOOPBACK, running, wait_for

pytestmark = pytest.mark.timeout(120)

SIZE_BYTES = 24_000_000


def disk_check(client: httpx2.Client) -> dict[str, object]:
    answer = client.get("/readyz")
    check: dict[str, object] = answer.json()["checks"]["disk"]
    assert (answer.status_code == 200) == check["ok"]
    return check


def until_ready(client: httpx2.Client) -> None:
    wait_for(lambda: disk_check(client)["ok"], what="room on the disk")


def until_refused(add: Callable[[str], httpx2.Response]) -> tuple[int, str]:
    """Add views until the database has no room for one; gives how many it took, and what it says then."""
    for number in range(2000):
        answer = add(f"View {number}")
        if answer.status_code != 201:
            assert answer.status_code == 503, answer.text
            return number, str(answer.json()["detail"])
    raise AssertionError("it never became full")


def test_while_the_disk_of_the_database_is_full_reads_go_on_and_writes_say_so(tmp_path: Path) -> None:
    objects = {"GLIMPSER_STORAGE__OBJECT_STORE_URL": (tmp_path / "objects").as_uri()}
    with (
        small_disk(tmp_path / "disk", size_bytes=SIZE_BYTES) as disk,
        running(disk / "data", {**OPEN_LOOPBACK, **objects}) as program,
        program.set_up() as client,
    ):
        view = Watched(client)
        before = view.until_captured(besides=0)

        with full(disk):
            taken, reason = until_refused(view.add)
            meanwhile = view.kept()
        view.until_captured(besides=len(meanwhile))

        assert "full: free some space" in reason
        assert set(before) <= set(meanwhile)
        assert view.add("Taken").status_code == 201
        assert len(view.names()) == taken + 2
        fsck(program, **objects)


def test_while_the_disk_of_the_pictures_is_full_only_pictures_wait(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size_bytes=SIZE_BYTES) as disk:
        objects = {"GLIMPSER_STORAGE__OBJECT_STORE_URL": (disk / "objects").as_uri()}
        with running(tmp_path / "data", {**OPEN_LOOPBACK, **objects}) as program, program.set_up() as client:
            view = Watched(client)
            before = view.until_captured(besides=0)

            with full(disk):
                reasons = wait_for(
                    lambda: [one["error"] for one in view.captures() if one["status"] == "failure"],
                    what="a capture that failed",
                )
                meanwhile = view.kept()
                added = view.add("Meanwhile")
                wait_for(lambda: not disk_check(client)["ok"], what="word of the full disk")
            view.until_captured(besides=len(meanwhile))
            until_ready(client)

            assert "free some space" in str(reasons[-1])
            assert (added.status_code, set(before) <= set(meanwhile)) == (201, True)
            assert not list((disk / "objects" / ".new").iterdir())
            fsck(program, **objects)

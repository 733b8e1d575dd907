"""A person adds a view of every kind, of real servers; each shows pictures, and its health follows them."""

from collections.abc import Iterator

import pytest

from tests.kinds_watching import Seen, open_to, watch_troubles
from tests.kinds_world import every_kind
from tests.program import running
from tests.web_site import require_browser

pytestmark = pytest.mark.timeout(240)

KINDS = {
    "page with banner and video": "error page",
    "page behind a login": "401",
    "still camera with digest": "401",
    "document": "killed",
    "HLS": "killed",
    "Motion JPEG": "blank",
    "video site": "error",
    "pictures that are sent": "silent",
    "folder": "gone",
}
"""With the trouble each of them has; the others take longer, and are for `just soak kinds`."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    require_browser()
    root = tmp_path_factory.mktemp("every kind")
    files = root / "files"
    files.mkdir()
    with (
        every_kind(files) as views,
        running(root / "data", open_to(files)) as program,
        program.set_up() as client,
    ):
        yield watch_troubles(client, views, KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_view_of_each_kind_shows_pictures_and_is_well(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].first == "ok"
    assert seen[name].picture == seen[name].wanted


@pytest.mark.parametrize("name", KINDS)
def test_what_is_broken_is_told_with_its_reason(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].is_told, seen[name]


@pytest.mark.parametrize("name", KINDS)
def test_what_is_mended_is_well_again(seen: dict[str, Seen], name: str) -> None:
    assert seen[name].again == "ok"

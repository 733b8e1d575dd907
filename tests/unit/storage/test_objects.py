"""Which URLs name a store."""

from pathlib import Path

import pytest

from glimpser.core.errors import Misconfigured
from glimpser.storage.objects import file_root, open_store
from glimpser.storage.settings import StoreSettings


@pytest.mark.anyio
@pytest.mark.parametrize("is_alone", [True, False])
async def test_beside_a_program_that_writes_nothing_unfinished_is_swept_away(
    tmp_path: Path, *, is_alone: bool
) -> None:
    settings = StoreSettings(url=(tmp_path / "objects").as_uri(), state=tmp_path)
    unfinished = tmp_path / "objects" / ".new" / "being-written"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"half a picture")

    async with open_store(settings, is_sending=is_alone):
        pass

    assert unfinished.exists() == (not is_alone)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///data/artifacts", "/data/artifacts"),
        ("file:///a%20b/%C3%A4%3F", "/a b/ä?"),
        ("file:///", "/"),
    ],
)
def test_takes_the_directory_out_of_a_file_url(url: str, path: str) -> None:
    assert file_root(url) == Path(path)


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/prefix",
        "http://example.org/",
        "/data/artifacts",
        "file:data",
        "file://server/share",
        "file:///a?b",
        "file:///a#b",
        "file:///a%00b",
        "",
    ],
)
def test_refuses_what_this_version_cannot_open(url: str) -> None:
    with pytest.raises(Misconfigured, match="object_store_url"):
        file_root(url)

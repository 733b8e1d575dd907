"""The web app is served whole, quickly, and nothing beside it."""

import gzip
from pathlib import Path

import httpx2
import pytest

from glimpser.core.errors import Misconfigured
from glimpser.web.routes.static import POLICY, check_site, load_site
from glimpser.web.wiring import WebSettings
from tests.web_world import World, open_world

pytestmark = pytest.mark.anyio

HTML = b"<!doctype html><title>Glimpser</title>"
SCRIPT = b"console.log('glimpser')\n" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves, in small; beside it, what must stay private."""
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_bytes(HTML)
    (site / "theme.js").write_bytes(b"// theme")
    (site / "assets/app-1a2b.js").write_bytes(SCRIPT)
    (site / "assets/app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (site / "assets/app-1a2b.js.br").write_bytes(b"brotli")
    (site / "stamp.txt").write_text("of the build")
    (tmp_path / "secret.js").write_text("nobody may read this")
    return site


async def ask(built: Path, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
    settings = WebSettings(version="1.2.3", static_dir=built)
    async with open_world(built.parent, settings) as world:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await world.client.request(method, path, headers=named)


@pytest.mark.parametrize(
    "path", ["/", "/live", "/events/01ARZ3NDEKTSV4RRFFQ69G5FAV?kind=motion", "/no/such/page"]
)
async def test_every_page_is_the_app_which_then_finds_its_way(built: Path, path: str) -> None:
    answer = await ask(built, path)

    assert answer.status_code == 200
    assert answer.content == HTML
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_policy_allows_nothing_inline_and_no_other_server(built: Path) -> None:
    policy = (await ask(built, "/")).headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "data:" not in policy
    assert "//" not in policy


async def test_what_is_named_by_its_content_is_kept_for_ever(built: Path) -> None:
    answer = await ask(built, "/assets/app-1a2b.js", accept_encoding="identity")

    assert answer.content == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.5, identity", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("gzip;q=x", None),
        ("", None),
    ],
)
async def test_a_prepared_encoding_is_sent_to_those_who_take_it(
    built: Path, accepted: str, coding: str | None
) -> None:
    answer = await ask(built, "/assets/app-1a2b.js", accept_encoding=accepted)

    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == SCRIPT


async def test_brotli_is_preferred(built: Path) -> None:
    answer = await ask(built, "/assets/app-1a2b.js", method="HEAD", accept_encoding="gzip, br")

    assert answer.headers["content-encoding"] == "br"


async def test_what_has_not_changed_is_not_sent_again(built: Path) -> None:
    etag = (await ask(built, "/theme.js")).headers["etag"]

    again = await ask(built, "/theme.js", if_none_match=etag)
    other = await ask(built, "/theme.js", if_none_match='"other"')

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert other.status_code == 200


async def test_encodings_of_one_file_have_tags_of_their_own(built: Path) -> None:
    plain = await ask(built, "/assets/app-1a2b.js", accept_encoding="identity")
    packed = await ask(built, "/assets/app-1a2b.js", accept_encoding="gzip")

    assert plain.headers["etag"] != packed.headers["etag"]


@pytest.mark.parametrize(
    "path",
    ["/assets/gone-1a2b.js", "/favicon.ico", "/stamp.txt", "/assets/app-1a2b.js.gz", "/assets/%2e%2e/x.js"],
)
async def test_a_file_that_is_not_served_is_missing_and_no_page(built: Path, path: str) -> None:
    answer = await ask(built, path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/%2e%2e/secret.js", "/..%2fsecret.js", "/assets/..%2f..%2fsecret.js"])
async def test_nothing_outside_the_directory_can_be_named(built: Path, path: str) -> None:
    answer = await ask(built, path)

    assert answer.status_code == 404
    assert b"nobody may read this" not in answer.content


async def test_a_link_out_of_the_directory_is_not_followed_and_one_inside_is(built: Path) -> None:
    (built / "out.js").symlink_to(built.parent / "secret.js")
    (built / "in.js").symlink_to(built / "theme.js")

    site = load_site(built)

    assert "out.js" not in site
    assert site["in.js"].content == b"// theme"


def test_a_prepared_encoding_that_is_a_link_out_of_the_directory_is_none(built: Path) -> None:
    (built / "theme.js.br").symlink_to(built.parent / "secret.js")
    (built / "theme.js.gz").symlink_to(built / "assets/app-1a2b.js.gz")

    assert load_site(built)["theme.js"].encoded.keys() == {"gzip"}


def test_a_directory_of_links_out_is_not_walked(built: Path) -> None:
    (built.parent / "others").mkdir()
    (built.parent / "others/secret.js").write_text("nobody may read this")
    (built / "others").symlink_to(built.parent / "others")

    assert not [name for name in load_site(built) if "secret" in name]


def test_an_app_of_ones_own_has_a_first_page(built: Path) -> None:
    check_site(built)
    (built / "index.html").unlink()

    with pytest.raises(Misconfigured, match=r"server\.static_dir: there is no index\.html in"):
        check_site(built)


@pytest.mark.parametrize("kind", ["link-out", "directory", "nowhere"])
def test_what_is_no_first_page_does_not_pass_for_one(built: Path, kind: str) -> None:
    (built / "index.html").unlink()
    if kind == "link-out":
        (built / "index.html").symlink_to(built.parent / "secret.js")
    elif kind == "directory":
        (built / "index.html").mkdir()

    with pytest.raises(Misconfigured, match="Name the directory of a built web app"):
        check_site(built / "missing" if kind == "nowhere" else built)


@pytest.mark.parametrize("path", ["/api/nowhere", "/api", "/docs/nothing", "/metrics"])
async def test_what_belongs_to_programs_never_becomes_a_page(built: Path, path: str) -> None:
    answer = await ask(built, path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_cannot_be_written_to(built: Path) -> None:
    assert (await ask(built, "/live", method="POST")).status_code == 404


async def test_without_an_app_the_first_page_says_how_to_build_one(world: World) -> None:
    first, other = await world.client.get("/"), await world.client.get("/live")

    assert (first.status_code, other.status_code) == (200, 404)
    assert "GLIMPSER_UI" in first.text
    assert first.headers["content-security-policy"].startswith("default-src 'none'")

"""The kind of view an address is for, and what the address says of its config."""

import pytest

from glimpser.core.contents import FROM_CAMERAS, Content
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Kind
from glimpser.core.live import MediaInput
from glimpser.services.guessing import Guesser, config_of

pytestmark = pytest.mark.anyio


def kind(name: str, *shows: Content) -> Kind:
    return Kind(
        name=name,
        title=name,
        description="",
        schema={},
        parse=lambda config: config,
        feed=lambda _config: MediaInput(address="x"),
        shows=frozenset(shows),
    )


KINDS = {
    one.name: one
    for one in (kind("camera", *FROM_CAMERAS), kind("page", Content.PAGE), kind("file", Content.FILE))
}


class Looks:
    """Finds what a test says, and notes what was looked at."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.seen: list[str] = []

    async def look(self, url: str) -> Content:
        self.seen.append(url)
        return self._content

    async def look_at_file(self, path: str) -> Content:
        if path != "clips/door.mp4":
            raise InvalidInput("The file cannot be opened.")
        return Content.FILE


@pytest.mark.parametrize(
    ("content", "name"), [(Content.STREAM, "camera"), (Content.VIDEO, "camera"), (Content.PAGE, "page")]
)
async def test_the_kind_is_the_one_that_shows_what_is_there(content: Content, name: str) -> None:
    guess = await Guesser(KINDS, Looks(content)).guess(" http://example.org/x ")

    assert (guess.kind.name, guess.config) == (name, {"url": "http://example.org/x"})


async def test_what_no_kind_shows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="No kind"):
        await Guesser(KINDS, Looks(Content.DOCUMENT)).guess("http://example.org/x.pdf")


async def test_a_path_is_a_file_of_this_machine() -> None:
    guess = await Guesser(KINDS, Looks(Content.PAGE)).guess("clips/door.mp4")

    assert (guess.kind.name, guess.config) == ("file", {"path": "clips/door.mp4"})


@pytest.mark.parametrize("what", ["example.org", "www.example.org/cam", "192.0.2.20:8080/video"])
async def test_half_an_address_is_refused_with_the_remedy(what: str) -> None:
    with pytest.raises(InvalidInput, match="whole address"):
        await Guesser(KINDS, Looks(Content.PAGE)).guess(what)


async def test_another_path_is_refused_in_the_words_of_files() -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        await Guesser(KINDS, Looks(Content.PAGE)).guess("/etc/shadow")


def test_user_name_and_password_are_taken_out_of_the_address() -> None:
    assert config_of("rtsp://ann:p%40ss%2F@192.0.2.20:554/one?x=1") == {
        "url": "rtsp://192.0.2.20:554/one?x=1",
        "username": "ann",
        "password": "p@ss/",
    }
    assert config_of("http://ann@cam/") == {"url": "http://cam/", "username": "ann"}


async def test_a_guess_shows_no_password() -> None:
    looks = Looks(Content.STREAM)

    guess = await Guesser(KINDS, looks).guess("rtsp://ann:hunter2@192.0.2.20/one")

    assert looks.seen == ["rtsp://ann:hunter2@192.0.2.20/one"]
    assert guess.config["password"] == "hunter2"
    assert "hunter2" not in repr(guess)

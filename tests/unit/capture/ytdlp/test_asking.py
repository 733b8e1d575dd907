import pytest

from glimpser.capture.ytdlp.asking import command_for
from glimpser.core.errors import InvalidInput

PROXY = "http://127.0.0.1:4711"


def test_the_address_stands_alone_behind_the_options() -> None:
    words = command_for("https://example.org/v?a=1", choice="best", proxy_url=PROXY).words

    assert words[-2:] == ("--", "https://example.org/v?a=1")
    assert words[1:4] == ("-I", "-m", "yt_dlp")
    assert "--format" not in words


def test_a_choice_of_format_is_one_argument() -> None:
    words = command_for("https://example.org/v", choice="best[height<=480]", proxy_url=PROXY).words

    assert words[words.index("--format") + 1] == "best[height<=480]"


def test_nothing_of_this_machine_is_read_or_run() -> None:
    command = command_for("https://example.org/v", choice="best", proxy_url=PROXY)

    assert set(command.words) >= {
        *("--ignore-config", "--no-plugin-dirs", "--no-exec", "--no-cache-dir", "--no-cookies"),
        *("--no-cookies-from-browser", "--no-js-runtimes", "--no-remote-components", "--no-playlist"),
    }
    assert command.environment["PATH"] == "/nonexistent"
    assert command.home is None
    assert None not in (command.limits.memory_bytes, command.limits.file_size_bytes, command.limits.cpu_s)


def test_the_proxy_is_its_only_way_out_and_in_no_argument() -> None:
    command = command_for("https://example.org/v", choice="best", proxy_url=PROXY)

    assert {command.environment["http_proxy"], command.environment["https_proxy"]} == {PROXY}
    assert not any(PROXY in word for word in command.words)


@pytest.mark.parametrize(("url", "choice"), [("--exec=id", "best"), ("https://x/", "--exec=id")])
def test_what_could_be_an_option_is_refused(url: str, choice: str) -> None:
    with pytest.raises(InvalidInput):
        command_for(url, choice=choice, proxy_url=PROXY)

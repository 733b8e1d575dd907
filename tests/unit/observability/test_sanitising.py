import pytest
import structlog

from tests.unit.observability.given import HIDDEN, Configure, log_failure


@pytest.mark.parametrize("log_format", ["json", "pretty"])
class TestSecrets:
    @pytest.mark.parametrize(
        "name",
        [
            "password",
            "Password",
            "admin_password",
            "password_hash",
            "jwt_secret",
            "token",
            "access_token",
            "authorization",
            "cookie",
            "Set-Cookie",
            "x-api-key",
            "apikey",
        ],
    )
    def test_fields_with_such_a_name_are_hidden(
        self, configure: Configure, log_format: str, name: str
    ) -> None:
        output = configure(log_format=log_format)
        logger = structlog.get_logger("glimpser")

        logger.info("seen", **{name: HIDDEN})
        logger.info("seen", nested={"deeper": [{name: [HIDDEN]}]})
        logger.info("seen", **{name: 47114711})

        assert HIDDEN not in output.text
        assert "47114711" not in output.text
        assert output.text.count("***") == 3

    @pytest.mark.parametrize("name", ["secretary", "passwordless", "key", "tokenizer"])
    def test_fields_with_a_name_that_only_looks_alike_are_shown(
        self, configure: Configure, log_format: str, name: str
    ) -> None:
        output = configure(log_format=log_format)

        structlog.get_logger("glimpser").info("seen", **{name: "shown"})

        assert "shown" in output.text

    def test_credentials_in_texts_are_hidden(self, configure: Configure, log_format: str) -> None:
        output = configure(log_format=log_format)
        logger = structlog.get_logger("glimpser")
        url = "rtsp://user:" + HIDDEN + "@camera/stream"

        logger.info("opening %s", url, url=url, urls=[url], by_name={"first": url}, raw=url.encode())
        log_failure(OSError(f"cannot open {url}"))

        assert HIDDEN not in output.text
        assert output.text.count("user:***@camera/stream") >= 6

    def test_whether_there_is_a_secret_may_be_seen(self, configure: Configure, log_format: str) -> None:
        output = configure(log_format=log_format)

        structlog.get_logger("glimpser").info("seen", token=None, password=True)

        assert "***" not in output.text


class TestPretty:
    @pytest.mark.parametrize(
        "character", ["\x1b", "\n", "\r", "\x00", "\x07", "\x9b", "\u2028", "\u202e", "\ud800"]
    )
    def test_no_text_can_forge_a_line_or_drive_a_terminal(self, configure: Configure, character: str) -> None:
        output = configure(log_format="pretty")
        hostile = f"a{character}2026-01-01T00:00:00Z [info] forged"
        logger = structlog.get_logger("glimpser")

        logger.info(hostile, value=hostile, nested={hostile: [hostile]}, **{hostile: 1})

        assert output.text.count("\n") == 1
        assert character not in output.text.rstrip("\n")
        assert "forged" in output.text

    def test_letters_of_all_languages_stay(self, configure: Configure) -> None:
        output = configure(log_format="pretty")

        structlog.get_logger("glimpser").info("señal", place="Türöffner 门 🚪")

        assert "señal" in output.text
        assert "Türöffner 门 🚪" in output.text

    def test_lines_of_a_trace_are_indented_so_that_none_looks_like_an_entry(
        self, configure: Configure
    ) -> None:
        output = configure(log_format="pretty")

        log_failure(ValueError("a\n2026-01-01T00:00:00Z [info] forged\x1b[31m"))

        entry, *trace = output.text.splitlines()
        assert "failed" in entry
        assert trace
        assert all(line.startswith("    ") for line in trace)
        assert "\x1b" not in output.text

    def test_locals_of_a_trace_are_not_shown(self, configure: Configure) -> None:
        output = configure(log_format="pretty")

        log_failure(ValueError("away"), in_a_local=HIDDEN)

        assert "ValueError: away" in output.text
        assert HIDDEN not in output.text

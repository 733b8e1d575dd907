import io
import json
import logging
import re
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from glimpser.config import load
from glimpser.observability.logs import configure_logging, log_context
from tests.unit.observability.given import HIDDEN, Configure, Settings, log_failure


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestJson:
    def test_an_event_is_one_line_of_json_with_its_fields(self, configure: Configure) -> None:
        output = configure()

        structlog.get_logger("glimpser.web").info("http.request", status=200, path="/a\nb")

        [entry] = output.entries
        assert list(entry)[:4] == ["timestamp", "level", "logger", "event"]
        assert entry["level"] == "info"
        assert entry["logger"] == "glimpser.web"
        assert entry["event"] == "http.request"
        assert entry["status"] == 200
        assert entry["path"] == "/a\nb"

    def test_times_are_utc(self, configure: Configure) -> None:
        output = configure()

        structlog.get_logger("glimpser").info("tick")

        stamp = output.entries[0]["timestamp"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stamp)
        assert abs((datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()) < 5

    def test_an_error_brings_its_trace_on_the_same_line(self, configure: Configure) -> None:
        output = configure()

        log_failure(ValueError("at\nnight"))

        [entry] = output.entries
        assert "Traceback" in entry["exception"]
        assert "ValueError: at\nnight" in entry["exception"]

    @pytest.mark.parametrize(
        "value",
        [
            float("nan"),
            float("inf"),
            b"\xff\x00",
            {1: {2, 3}},
            object(),
            "\ud800",
            datetime.now(UTC),
            10**400,
        ],
        ids=["nan", "infinite", "bytes", "set", "object", "surrogate", "time", "huge"],
    )
    def test_any_value_gives_a_line_that_parses(self, configure: Configure, value: Any) -> None:
        output = configure()

        structlog.get_logger("glimpser").info("odd", value=value)

        [entry] = output.entries
        assert entry["event"] == "odd"

    def test_a_value_that_holds_itself_is_cut_off(self, configure: Configure) -> None:
        output = configure()
        loop: dict[str, Any] = {}
        loop["loop"] = loop

        structlog.get_logger("glimpser").info("odd", value=loop)

        assert "…" in str(output.entries[0])


class TestConfiguring:
    def test_twice_gives_one_line_for_an_event_on_the_newer_stream(self, configure: Configure) -> None:
        first = configure()
        logger = structlog.get_logger("glimpser")
        logger.info("one")

        second = configure()
        logger.info("two")
        logging.getLogger("glimpser").info("three")

        assert [entry["event"] for entry in first.entries] == ["one"]
        assert [entry["event"] for entry in second.entries] == ["two", "three"]

    def test_again_forgets_the_levels_of_before(self, configure: Configure) -> None:
        configure(log_levels={"glimpser.capture": "debug"})

        output = configure()
        structlog.get_logger("glimpser.capture").debug("no")

        assert output.text == ""

    def test_handlers_of_others_stay(self, configure: Configure) -> None:
        other = logging.NullHandler()
        logging.getLogger().addHandler(other)

        configure()

        assert other in logging.getLogger().handlers

    def test_the_section_of_the_configuration_fits(self, configure: Configure, data_dir: Path) -> None:
        configure()
        stream = io.StringIO()
        section = load({"data_dir": data_dir, "observability.log_format": "json"}, {}).observability

        configure_logging(section, stream)
        structlog.get_logger("glimpser").info("fits")

        assert json.loads(stream.getvalue())["event"] == "fits"

    @pytest.mark.parametrize(
        ("log_format", "stream", "form"),
        [
            ("auto", io.StringIO, "json"),
            ("auto", Terminal, "pretty"),
            ("json", Terminal, "json"),
            ("pretty", io.StringIO, "pretty"),
        ],
    )
    def test_the_format_follows_the_setting_and_the_terminal(
        self, configure: Configure, log_format: str, stream: type[io.StringIO], form: str
    ) -> None:
        configure()
        target = stream()

        configure_logging(Settings(log_format=log_format), target)
        structlog.get_logger("glimpser").info("hello")

        assert target.getvalue().startswith("{") == (form == "json")
        assert "hello" in target.getvalue()


class TestLevels:
    def test_less_than_the_level_is_not_written(self, configure: Configure) -> None:
        output = configure(log_level="warning")
        logger = structlog.get_logger("glimpser")

        logger.info("no")
        logger.warning("yes")

        assert [entry["event"] for entry in output.entries] == ["yes"]

    def test_a_logger_and_those_below_it_may_have_another(self, configure: Configure) -> None:
        output = configure(log_levels={"glimpser.capture": "debug", "glimpser.web": "error"})

        for name in ("glimpser.capture.ingest", "glimpser.captured", "glimpser.web"):
            structlog.get_logger(name).debug("debug")
            structlog.get_logger(name).info("info")

        assert [(entry["logger"], entry["event"]) for entry in output.entries] == [
            ("glimpser.capture.ingest", "debug"),
            ("glimpser.capture.ingest", "info"),
            ("glimpser.captured", "info"),
        ]

    def test_libraries_talk_less_unless_they_are_named(self, configure: Configure) -> None:
        quiet = configure()
        logging.getLogger("sqlalchemy.engine").info("SELECT 1")
        named = configure(log_levels={"sqlalchemy": "info"})
        logging.getLogger("sqlalchemy.engine").info("SELECT 2")

        assert quiet.text == ""
        assert named.entries[0]["event"] == "SELECT 2"


class TestLibraries:
    @pytest.mark.parametrize("name", ["uvicorn.error", "alembic.runtime", "sqlalchemy.pool", "somebody.else"])
    def test_their_entries_take_the_same_way(self, configure: Configure, name: str) -> None:
        output = configure()

        logging.getLogger(name).warning("%s is away", "rtsp://user:" + HIDDEN + "@host/x")

        [entry] = output.entries
        assert entry["event"] == "rtsp://user:***@host/x is away"
        assert entry["logger"] == name
        assert entry["level"] == "warning"

    def test_the_client_of_webhooks_names_no_url(self, configure: Configure) -> None:
        output = configure()

        logging.getLogger("httpx2").info("HTTP Request: POST https://hooks.example.org/services/T0/B0/key")
        logging.getLogger("httpx2").warning("heard")

        assert [entry["event"] for entry in output.entries] == ["heard"]

    def test_handlers_they_made_for_themselves_are_removed(self, configure: Configure) -> None:
        theirs = io.StringIO()
        logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(theirs))

        output = configure()
        logging.getLogger("uvicorn.error").warning("once")

        assert theirs.getvalue() == ""
        assert len(output.entries) == 1

    def test_warnings_of_python_are_logged(self, configure: Configure) -> None:
        output = configure()

        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(capture=False)
            logging.captureWarnings(capture=True)
            warnings.warn("old", UserWarning, stacklevel=1)

        assert "UserWarning: old" in output.entries[0]["event"]


class TestContext:
    def test_what_is_bound_stands_in_every_entry_inside(self, configure: Configure) -> None:
        output = configure()
        logger = structlog.get_logger("glimpser")

        with log_context(request_id="r", client_ip="10.0.0.9"), log_context(template_id="t", job_id="j"):
            logger.info("inside")
            logging.getLogger("uvicorn.error").warning("theirs")
        logger.info("outside")

        bound = {"request_id": "r", "client_ip": "10.0.0.9", "template_id": "t", "job_id": "j"}
        inside, theirs, outside = output.entries
        assert bound.items() <= inside.items()
        assert bound.items() <= theirs.items()
        assert not bound.keys() & outside.keys()

    def test_what_is_not_given_is_not_written(self, configure: Configure) -> None:
        output = configure()

        with log_context(request_id="r"):
            structlog.get_logger("glimpser").info("inside")

        assert "client_ip" not in output.entries[0]

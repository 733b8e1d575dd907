"""Logs: events with fields, one line each, from our loggers and those of the libraries alike.

`structlog.get_logger(__name__)` hands entries to the standard library's loggers, whose levels decide;
one handler at the root writes them as JSON or for a terminal.
"""

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import JSONRenderer, StackInfoRenderer, TimeStamper, format_exc_info
from structlog.stdlib import (
    BoundLogger,
    LoggerFactory,
    PositionalArgumentsFormatter,
    ProcessorFormatter,
    add_log_level,
    add_logger_name,
    filter_by_level,
)
from structlog.typing import Processor

from glimpser.observability.sanitising import escape_controls, redact_secrets

_LIBRARY_LEVELS: Mapping[str, str] = {
    "alembic": "warning",  # migrations are logged by those who run them
    "asyncio": "warning",
    "httpcore2": "warning",
    "httpx2": "warning",  # its info is every URL, and those of webhooks hold secrets in their paths
    "sqlalchemy": "warning",  # its info is every statement
    "uvicorn": "warning",
    "uvicorn.access": "error",  # the web layer writes one line for each request itself
}
"""How much libraries say unless the configuration names them."""

_OWN_HANDLERS = ("uvicorn", "uvicorn.access", "uvicorn.error", "alembic", "sqlalchemy")
"""Loggers that may have got handlers of their own; their entries go to the root instead."""

_FIRST_FIELDS = ("timestamp", "level", "logger", "event")


class LogSettings(Protocol):
    """The part of the configuration that logs need; `config.Observability` is one."""

    @property
    def log_level(self) -> str: ...
    @property
    def log_levels(self) -> Mapping[str, str]: ...
    @property
    def log_format(self) -> str: ...


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, as opposed to those of a test runner; it knows which loggers got a level with it."""

    levelled: tuple[str, ...] = ()


def configure_logging(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Write all logs of this process to `stream` (standard error). Calling it again replaces the first.

    Call it from the main thread, before others log.
    """
    target = sys.stderr if stream is None else stream
    handler = _Handler(target)
    handler.setFormatter(_formatter(pretty=_is_pretty(settings.log_format, target), colors=target.isatty()))
    _replace_handler(handler)
    _set_levels(handler, settings)
    structlog.configure(
        processors=[filter_by_level, *_chain(), ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
        logger_factory=LoggerFactory(),
        cache_logger_on_first_use=False,  # a logger made before the second call would keep the first chain
    )
    logging.captureWarnings(capture=True)


@contextmanager
def log_context(
    *,
    request_id: str | None = None,
    client_ip: str | None = None,
    template_id: str | None = None,
    job_id: str | None = None,
) -> Iterator[None]:
    """Add these fields to every entry logged inside, also in tasks started there."""
    fields = {
        "request_id": request_id,
        "client_ip": client_ip,
        "template_id": template_id,
        "job_id": job_id,
    }
    with bound_contextvars(**{name: value for name, value in fields.items() if value is not None}):
        yield


def _chain() -> list[Processor]:
    """Give the steps that entries of structlog and of the standard library share."""
    return [
        merge_contextvars,
        add_logger_name,
        add_log_level,
        PositionalArgumentsFormatter(),
        TimeStamper(fmt="iso", utc=True),
        StackInfoRenderer(),
        format_exc_info,
    ]


def _formatter(*, pretty: bool, colors: bool) -> ProcessorFormatter:
    """Make what turns an entry into its line; secrets are hidden last, when all fields are there."""
    rendering: list[Processor] = (
        [
            escape_controls,
            structlog.dev.ConsoleRenderer(
                colors=colors,
                exception_formatter=structlog.dev.plain_traceback,  # rich's would print local variables
                sort_keys=False,
            ),
        ]
        if pretty
        else [_first_fields_first, JSONRenderer()]
    )
    return ProcessorFormatter(
        foreign_pre_chain=_chain(),
        processors=[ProcessorFormatter.remove_processors_meta, redact_secrets, *rendering],
    )


def _first_fields_first(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {name: event.pop(name) for name in _FIRST_FIELDS if name in event} | dict(event)


def _is_pretty(log_format: str, stream: TextIO) -> bool:
    return log_format == "pretty" or (log_format == "auto" and stream.isatty())


def _replace_handler(handler: _Handler) -> None:
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _Handler)]:
        root.removeHandler(old)
        for name in old.levelled:
            logging.getLogger(name).setLevel(logging.NOTSET)
    root.addHandler(handler)
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def _set_levels(handler: _Handler, settings: LogSettings) -> None:
    logging.getLogger().setLevel(settings.log_level.upper())
    levels = {**_LIBRARY_LEVELS, **settings.log_levels}
    handler.levelled = tuple(levels)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level.upper())

"""The commands. Exit codes: 0 ok, 1 failed, 2 usage, 78 configuration (sysexits.h)."""

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from glimpser import __version__
from glimpser.commands.accounts import key_commands, user_commands
from glimpser.commands.backups import backup, restore
from glimpser.commands.checkup import doctor
from glimpser.commands.exports import export_commands
from glimpser.commands.jobs import job_commands
from glimpser.commands.keeping import retention_commands
from glimpser.commands.options import AsJson, DataDir, load_config, load_quietly
from glimpser.commands.schedules import schedule_commands
from glimpser.commands.templates import template_commands
from glimpser.config import render_config
from glimpser.core.errors import GlimpserError, InvalidInput, Misconfigured
from glimpser.core.redaction import redact
from glimpser.process.instance import sole_instance
from glimpser.services.integrity import CheckLevel, Report

EXIT_FAILED = 1
EXIT_CONFIGURATION = 78

app = typer.Typer(
    name="glimpser",
    help="Watches cameras, video sites, web pages and files, and tells people what happened.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Level(StrEnum):
    """How much `fsck` looks at."""

    PRESENCE = "presence"
    SIZE = "size"
    HASH = "hash"


app.add_typer(user_commands, name="user")
app.add_typer(key_commands, name="apikey")
app.add_typer(template_commands, name="template")
app.add_typer(job_commands, name="job")
app.add_typer(schedule_commands, name="schedule")

app.add_typer(export_commands, name="export")
app.add_typer(retention_commands, name="retention")
app.command()(doctor)
app.command()(backup)
app.command()(restore)


def main() -> None:
    """Run a command; errors made for people are printed as one sentence."""
    try:
        app()
    except Misconfigured as error:
        _fail(error.detail, EXIT_CONFIGURATION)
    except GlimpserError as error:
        _fail("\n".join([error.detail, *_field_lines(error)]), EXIT_FAILED)
    except KeyboardInterrupt:
        _fail("Interrupted.", EXIT_FAILED)


@app.command()
def up(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port of the web server.", show_default=False)] = None,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="Add moving sample views.")] = False,
) -> None:
    """Run the whole program: web server, capture, motion, events."""
    config = load_config(data_dir, {"server.host": host, "server.port": port})
    with sole_instance(config.data_dir):  # before what takes long to import: a second one is told at once
        with _without_collections():
            from glimpser.app.running import run

        run(config, demo=demo)


@app.command()
def snapshot(
    what: Annotated[str, typer.Argument(metavar="URL|PATH|TEMPLATE", help="What to take a picture of.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The JPEG to write.")] = Path("snapshot.jpg"),
    data_dir: DataDir = None,
) -> None:
    """Take one picture of anything; no server needs to run."""
    from glimpser.app.single import take_snapshot

    config = load_quietly(data_dir)
    with _steps(f"Opening {redact(what)}") as tell:
        shot = asyncio.run(take_snapshot(config, what, tell=tell))
    output.write_bytes(shot.jpeg)
    typer.echo(f"{output}: {shot.width} × {shot.height} pixels, {len(shot.jpeg) / 1000:.0f} kB")


@app.command("check-config")
def check_config(data_dir: DataDir = None) -> None:
    """Validate the configuration and print it without its secrets."""
    typer.echo(render_config(load_config(data_dir)))


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this version; `up` does this by itself."""
    from glimpser.app.offline import migrate_database

    typer.echo(f"The database is at revision {migrate_database(load_quietly(data_dir))}.")


@app.command()
def fsck(
    data_dir: DataDir = None,
    level: Annotated[
        Level, typer.Option(help="What is compared; each level includes those before it.")
    ] = Level.PRESENCE,
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without loss.")] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that database and stored pictures agree. Exit 0 only without problems."""
    from glimpser.app.offline import check_integrity

    report = asyncio.run(
        check_integrity(load_quietly(data_dir), level=CheckLevel.parse(level.value), repair=repair)
    )
    _print_report(report, as_json=as_json)
    if report.unrepaired:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def openapi(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write to a file.")] = None,
) -> None:
    """Print the OpenAPI document of the HTTP interface."""
    from glimpser.web.application import openapi_document
    from glimpser.web.wiring import WebSettings

    document = openapi_document(WebSettings(version=__version__))
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@contextmanager
def _without_collections() -> Iterator[None]:
    """For imports: all they make stays, so that looking for garbage is a tenth of the start for nothing.

    It is left alone later too, which keeps the pauses of full collections short.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _steps(first: str) -> Iterator[Callable[[str], None]]:
    """Show what is done now: on one line of a terminal, else on a line each; both on standard error."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: console.print(f"{step} …", highlight=False, markup=False)
        return
    with console.status(f"{escape(first)} …") as status:
        yield lambda step: status.update(f"{escape(step)} …")


def _print_report(report: Report, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_as_values(report), indent=2))
        return
    for problem in report.problems:
        mended = " (mended)" if problem.repaired else ""
        typer.echo(f"{problem.kind:10} {problem.subject}: {problem.detail}{mended}")
    counted = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    typer.echo(f"{len(report.problems)} problems; looked at {counted}.")


def _as_values(report: Report) -> dict[str, object]:
    return {"problems": [asdict(problem) for problem in report.problems], "counts": dict(report.counts)}


def _field_lines(error: GlimpserError) -> Sequence[str]:
    if not isinstance(error, InvalidInput):
        return []
    return [f"  {field.pointer}: {field.message}" for field in error.errors if field.message != error.detail]


def _fail(message: str, status: int) -> NoReturn:
    print(f"glimpser: {message}", file=sys.stderr)  # noqa: T201  # the one way a command fails
    raise SystemExit(status)

"""`glimpser export …`: films and archives of stored pictures, made by the program that runs."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from glimpser.commands.jobs import written
from glimpser.commands.options import AsJson, DataDir, load_quietly, whoever_types
from glimpser.core.accounts import EVERYTHING
from glimpser.core.errors import InvalidInput, Rejected, Unavailable
from glimpser.core.ids import ExportId, require_id
from glimpser.core.pages import MAX_LIMIT, PageRequest
from glimpser.process.instance import is_worked_on
from glimpser.services.exports import ExportAsk, Found, file_name

if TYPE_CHECKING:
    from glimpser.services.exports import Exports

T = TypeVar("T")

_LOOK_EVERY_S = 0.5
_PATIENCE_S = 15.0
"""So long a program that was there may be away while somebody waits: it is started again meanwhile."""

export_commands = typer.Typer(help="Films and archives of stored pictures.", no_args_is_help=True)

ThisExport = Annotated[str, typer.Argument(metavar="ID")]


@export_commands.command("list")
def list_exports(
    limit: Annotated[int, typer.Option(min=1, max=MAX_LIMIT, help="At most so many.")] = 50,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List exports, the newest first."""
    page = _with(data_dir, lambda exports: exports.list(PageRequest(limit=limit), within=EVERYTHING))
    if as_json:
        typer.echo(json.dumps([_values(found) for found in page.items], indent=2))
        return
    for found in page.items:
        typer.echo(_line(found))


@export_commands.command("make")
def make_export(  # noqa: PLR0913, PLR0917  # one for each option
    kind: Annotated[str, typer.Argument(metavar="KIND", help="timelapse, video, zip or teaser.")],
    template: Annotated[str | None, typer.Option(help="Of this template.", show_default=False)] = None,
    group: Annotated[str | None, typer.Option(help="Of this group.", show_default=False)] = None,
    begin: Annotated[
        str | None, typer.Option("--from", help="From this time on, RFC 3339.", show_default=False)
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Up to this time, RFC 3339.", show_default=False)
    ] = None,
    length: Annotated[float | None, typer.Option(help="Seconds.", show_default=False)] = None,
    fps: Annotated[int | None, typer.Option(help="Frames a second.", show_default=False)] = None,
    width: Annotated[int | None, typer.Option(help="Pixels.", show_default=False)] = None,
    data_dir: DataDir = None,
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is made.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have a film or an archive made."""
    from glimpser.web.export_forms import parse_export

    document = {
        "kind": kind,
        "template_id": template,
        "group": group,
        "from": _time(begin, "--from"),
        "to": _time(end, "--to"),
        "length_s": length,
        "fps": fps,
        "width": width,
    }
    ask = parse_export(document)
    home = load_quietly(data_dir).data_dir
    found = _with(data_dir, lambda exports: _make(exports, ask, waiting_for=home if wait else None))
    _show(found, as_json=as_json)


@export_commands.command("get")
def get_export(
    export_id: ThisExport,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write.", show_default=False)
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the file of an export that is made."""
    known = ExportId(require_id(export_id, "export"))
    path = _with(data_dir, lambda exports: _get(exports, known, output))
    typer.echo(f"{path}: {path.stat().st_size / 1_000_000:.1f} MB")


@export_commands.command("delete")
def delete_export(export_id: ThisExport, data_dir: DataDir = None) -> None:
    """Delete an export and its file; one that is being made is broken off."""
    known = ExportId(require_id(export_id, "export"))
    _with(data_dir, lambda exports: exports.remove(known, by=whoever_types()))
    typer.echo(f"Deleted {known}.")


async def _make(exports: "Exports", ask: ExportAsk, *, waiting_for: Path | None) -> Found:
    found = await exports.create(ask, by=whoever_types())
    if waiting_for is None:
        return found
    found = await _made(exports, found, waiting_for)
    if found.export.status != "success":
        raise Rejected(found.export.error or f"The export ended as {found.export.status}.")
    return found


async def _made(exports: "Exports", found: Found, home: Path) -> Found:
    """Wait for the end of an export, as long as a program runs that makes it."""
    step, alone_s = None, _PATIENCE_S
    while found.is_undone or found.export.status == "pending":
        alone_s = 0.0 if await asyncio.to_thread(is_worked_on, home) else alone_s + _LOOK_EVERY_S
        if alone_s > _PATIENCE_S:
            raise Unavailable(
                f"No Glimpser runs on {home}, which makes exports: start it with"
                f" `glimpser up --data-dir {home}`. It then makes {found.export.id};"
                f" `glimpser export delete {found.export.id}` takes it back."
            )
        await asyncio.sleep(_LOOK_EVERY_S)
        found = await exports.get(found.export.id, within=EVERYTHING)
        told = found.job.step if found.job else None
        if told and told != step:
            step = told
            typer.echo(step, err=True)
    return found


async def _get(exports: "Exports", export_id: ExportId, output: Path | None) -> Path:
    export, file = await exports.file(export_id, within=EVERYTHING)
    path = output or Path(file_name(export))
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as target:
            async for piece in exports.content(file):
                await asyncio.to_thread(target.write, piece)
        part.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _with(data_dir: Path | None, do: Callable[["Exports"], Coroutine[Any, Any, T]]) -> T:
    from glimpser.app.work import open_export_work

    async def run() -> T:
        async with open_export_work(load_quietly(data_dir)) as exports:
            return await do(exports)

    return asyncio.run(run())


def _time(text: str | None, option: str) -> str | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.field(option, "Write a time like 2026-03-29T00:00:00Z.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _show(found: Found, *, as_json: bool) -> None:
    typer.echo(json.dumps(_values(found), indent=2) if as_json else _line(found))


def _line(found: Found) -> str:
    export = found.export
    job = found.job if found.is_undone else None
    share = f" {job.progress:.0%}" if job and job.progress is not None else ""
    told = file_name(export) if found.file else (export.error or (job.step if job else "") or "")
    status = job.status if job else export.status
    return f"{export.id}  {status:9}{share}  {export.kind:9}  {export.title}  {told}".rstrip()


def _values(found: Found) -> dict[str, object]:
    export, job = found.export, found.job if found.is_undone else None
    return {
        "id": export.id,
        "kind": export.kind,
        "template_id": export.template_id,
        "group": export.group,
        "title": export.title,
        "from": written(export.start),
        "to": written(export.end),
        "status": job.status if job else export.status,
        "progress": job.progress if job else None,
        "error": export.error,
        "result": export.result,
        "job_id": export.job_id,
        "file_name": file_name(export) if found.file else None,
        "expires_at": written(export.expires_at),
    }

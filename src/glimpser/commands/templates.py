"""`glimpser template …`: views without the web app, moved between programs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from glimpser.commands.options import AsJson, DataDir, Sort, load_quietly, whoever_types
from glimpser.core.accounts import EVERYTHING
from glimpser.core.orders import TEMPLATE_ORDERS
from glimpser.core.pages import MAX_LIMIT

if TYPE_CHECKING:
    from glimpser.services.moving import Change, Moving

T = TypeVar("T")

template_commands = typer.Typer(help="Views: list, write to a file, read from one.", no_args_is_help=True)

_MARKS = {"add": "+", "change": "~", "same": "=", "refused": "!"}


@template_commands.command("list")
def list_templates(sort: Sort = None, data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """List all views."""
    order = TEMPLATE_ORDERS.page(MAX_LIMIT, sort=sort)
    views = _with_moving(data_dir, lambda moving: moving.all(within=EVERYTHING))
    found = TEMPLATE_ORDERS.read(views, replace(order, limit=len(views))).items
    rows = [
        {
            "id": str(template.id),
            "name": template.settings.name,
            "kind": template.settings.kind,
            "enabled": template.settings.enabled,
            "live": template.settings.live,
            "groups": list(template.settings.groups),
        }
        for template in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['kind']:8} {'' if row['enabled'] else '(off) '}{row['name']}")


@template_commands.command("export")
def export_templates(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; without it, print.")
    ] = None,
    data_dir: DataDir = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write all views as YAML. Secrets are left out, and named."""
    from glimpser.services.yaml_text import parse_yaml

    text = _with_moving(data_dir, lambda moving: moving.export(within=EVERYTHING))
    if as_json:
        text = json.dumps(parse_yaml(text.encode()), indent=2, ensure_ascii=False) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


@template_commands.command("import")
def import_templates(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="YAML or JSON of `export` or glimpser-rs, or an original glimpser.db."
        ),
    ],
    data_dir: DataDir = None,
    *,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without this, say what would be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read views from a file. Exit 1 when some of them cannot be used."""
    from glimpser.app.templates import import_file

    changes = _with_moving(
        data_dir, lambda moving: import_file(moving, file, by=whoever_types(), apply=apply)
    )
    if as_json:
        typer.echo(json.dumps([asdict(change) for change in changes], indent=2, ensure_ascii=False))
    else:
        _print(changes, apply=apply)
    if any(change.action == "refused" for change in changes):
        raise typer.Exit(1)


def _print(changes: "Sequence[Change]", *, apply: bool) -> None:
    for change in changes:
        what = f": {', '.join(change.fields)}" if change.fields else ""
        typer.echo(f"{_MARKS[change.action]} {change.name or '(no name)'}{what}")
        for error in change.errors:
            typer.echo(f"    {error.pointer or 'refused'}: {error.message}")
        if change.missing_secrets:
            typer.echo(f"    set again: {', '.join(change.missing_secrets)}")
        for name, why in change.left.items():
            typer.echo(f"    not carried over: {name} ({why})")
        for note in change.notes:
            typer.echo(f"    {note}")
    count = {mark: sum(change.action == mark for change in changes) for mark in _MARKS}
    typer.echo(
        f"{count['add']} new, {count['change']} changed, {count['same']} as they were,"
        f" {count['refused']} refused."
    )
    if not apply:
        typer.echo("Nothing was changed yet: do it with --apply.")


def _with_moving(data_dir: Path | None, work: "Callable[[Moving], Awaitable[T]]") -> T:
    from glimpser.app.templates import open_moving

    config = load_quietly(data_dir)

    async def run() -> T:
        async with open_moving(config) as moving:
            return await work(moving)

    return asyncio.run(run())

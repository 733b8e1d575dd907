"""`glimpser retention run`: what is too old is removed now, also beside a program that runs."""

import asyncio
import json

import typer

from glimpser.commands.options import AsJson, DataDir, load_quietly

retention_commands = typer.Typer(help="How long things are kept.", no_args_is_help=True)


@retention_commands.callback()
def retention() -> None:
    """How long things are kept."""


@retention_commands.command("run")
def remove_old(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Remove now what would be removed tonight."""
    from glimpser.app.offline import remove_old as remove

    removed = asyncio.run(remove(load_quietly(data_dir)))
    if as_json:
        typer.echo(json.dumps(removed))
        return
    counted = ", ".join(f"{count} {name}" for name, count in removed.items())
    typer.echo(f"Removed: {counted or 'nothing'}.")

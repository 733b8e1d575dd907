"""`glimpser backup` and `glimpser restore`: everything in one file, and back."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from glimpser.commands.options import AsJson, DataDir, load_quietly
from glimpser.config import Config
from glimpser.core import failpoints
from glimpser.core.errors import InvalidInput
from glimpser.services.backup_secrets import MAX_PASSPHRASE_CHARS

if TYPE_CHECKING:
    from glimpser.app.restore import Restored
    from glimpser.services.backing_up import BackedUp
    from glimpser.services.job_kinds import Progress

PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help="A file whose first line is the passphrase.", show_default=False),
]
AskPassphrase = Annotated[bool, typer.Option("--passphrase", help="Ask for the passphrase.")]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to write.", show_default=False)],
    data_dir: DataDir = None,
    passphrase_file: PassphraseFile = None,
    *,
    passphrase: AskPassphrase = False,
    with_artifacts: Annotated[
        bool, typer.Option("--with-artifacts", help="Stored pictures and recordings, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything to one file; a program that runs goes on. With a passphrase secrets are in it, too."""
    from glimpser.app.backups import back_up
    from glimpser.services.backing_up import Wanted

    config = _load(data_dir)
    secret = _passphrase(passphrase_file, ask=passphrase, confirm=True)
    wanted = Wanted(with_artifacts=with_artifacts, passphrase=secret)
    with _shown("Backing up") as progress:
        made = asyncio.run(back_up(config, file, wanted, force=force, progress=progress))
    if as_json:
        typer.echo(json.dumps({"file": str(file), **asdict(made)}))
    else:
        _tell_of_backup(file, made)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup to restore.", show_default=False)],
    data_dir: DataDir = None,
    passphrase_file: PassphraseFile = None,
    *,
    passphrase: AskPassphrase = False,
    without_secrets: Annotated[
        bool, typer.Option("--without-secrets", help="Leave sealed secrets out.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in place of what is there, which is kept aside. The program must not run."""
    from glimpser.app.restore import RestoreOrder
    from glimpser.app.restore import restore as put_back

    config = _load(data_dir)
    secret = _passphrase(passphrase_file, ask=passphrase, confirm=False)
    order = RestoreOrder(passphrase=secret, without_secrets=without_secrets, check_only=check)
    with _shown("Restoring") as progress:
        restored = asyncio.run(put_back(config, file, order, progress))
    if as_json:
        typer.echo(json.dumps({"file": str(file), "checked_only": check, **asdict(restored)}))
    else:
        _tell_of_restore(file, restored, check_only=check)


def _tell_of_restore(file: Path, restored: "Restored", *, check_only: bool) -> None:
    what = f"backup of {restored.created_at} by version {restored.version}, {restored.objects} stored objects"
    typer.echo(f"{file}: {'whole' if check_only else 'restored'}; {what}")
    if check_only:
        return
    typer.echo(f"Objects: {restored.stored} stored, {restored.there} were there.")
    if restored.removed:
        typer.echo(f"Pictures that are not in the store, so their rows are removed: {restored.removed}.")
    if restored.adopted:
        typer.echo(f"Only the database of before knew {restored.adopted} objects: they go after a week.")
    if restored.secrets_missing:
        typer.echo(f"Views and channels whose secrets are to be entered again: {restored.secrets_missing}.")
    if restored.aside:
        typer.echo(f"The database of before is kept as {restored.aside}.")
    typer.echo("All sessions have ended: everybody signs in again.")


def _tell_of_backup(file: Path, made: "BackedUp") -> None:
    what = f"the database and {made.artifacts} stored objects" if made.with_artifacts else "the database"
    typer.echo(f"{file}: {what}, {made.size_bytes / 1e6:.1f} MB")
    if not made.with_artifacts:
        typer.echo("Stored pictures are not in it: --with-artifacts brings them.")
    if made.missing or made.damaged:
        typer.echo(
            f"Left out: {made.missing} objects that were gone, {made.damaged} that are not what was stored;"
            " `glimpser fsck --level hash` names them."
        )
    if made.secrets == "left out":
        typer.echo("The secrets of views and channels are left out: --passphrase-file seals them into it.")
    elif made.secrets == "sealed":
        typer.echo("The secrets of views and channels are in it, sealed by the passphrase.")


def _load(data_dir: Path | None) -> Config:
    config = load_quietly(data_dir)
    failpoints.arm(config.failpoint)
    return config


def _passphrase(file: Path | None, *, ask: bool, confirm: bool) -> str | None:
    """Read it from a file or a terminal, never from the command's arguments, which others may see."""
    if file is not None:
        return _first_line(file)
    if not ask:
        return None
    text: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return text


def _first_line(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            return opened.readline(MAX_PASSPHRASE_CHARS + 2).rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise InvalidInput.field("--passphrase-file", f"{file} cannot be read as text.") from error


@contextmanager
def _shown(what: str) -> "Iterator[Progress]":
    """Show how far it has come: as a bar on a terminal, else not at all; on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        class Bar:
            async def report(self, share: float | None, step: str | None = None) -> None:
                bar.update(task, total=1.0 if share is not None else None, completed=share or 0.0)
                bar.update(task, description=f"{what}: {step}" if step else what)

        yield Bar()

"""`glimpser doctor`: what this machine has and lacks."""

import asyncio
import json
from dataclasses import asdict

import typer

from glimpser.commands.options import AsJson, DataDir, load_quietly

_MARKS = {"ok": "ok      ", "warning": "warning ", "failed": "FAILED  "}


def doctor(data_dir: DataDir = None, *, as_json: AsJson = False) -> None:
    """Look at what this machine has and lacks, each with its remedy. Exit 1 when something must be mended."""
    from glimpser.app.checkup import look_over
    from glimpser.core.clock import SystemClock

    findings = asyncio.run(look_over(load_quietly(data_dir), SystemClock()))
    if as_json:
        typer.echo(json.dumps({"checks": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            typer.echo(f"{_MARKS[finding.state]}{finding.name:14} {finding.detail}")
            if finding.remedy:
                typer.echo(f"{'':22} → {finding.remedy}")
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)

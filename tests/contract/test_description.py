"""The API is what its description says, for a client that knows nothing else."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from glimpser.web.application import ROUTES
from tests.contract.described_world import serve

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
CLIENT = (
    str(Path(sys.executable).with_name("st")),
    "--config-file",
    str(ROOT / "tests/contract/schemathesis.toml"),
)
QUICK = ("--generation-deterministic", "--max-examples=10")
LONG = ("--max-time=600", "--max-examples=500")

NEVER_BY_CHANCE = {
    ("POST", "/api/me/password"): "takes the password that one has",
    ("POST", "/api/setup"): "takes the code that was shown, and there is an account already",
    ("POST", "/api/auth/login"): "takes the password of somebody",
    ("POST", "/api/templates/import"): "takes a file that an export wrote, or a person",
}
"""What no client succeeds in that makes its requests up; other tests do."""


async def run_client(arguments: Sequence[str], *, directory: Path, environment: Mapping[str, str]) -> None:
    """Let the client try every operation, and fail with its report if anything is wrong."""
    client = await asyncio.create_subprocess_exec(
        *CLIENT,
        *arguments,
        cwd=directory,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        report, _ = await client.communicate()
    finally:
        if client.returncode is None:
            client.kill()
    assert client.returncode == 0, "\n" + report.decode()


@pytest.mark.hypothesis
@pytest.mark.timeout(900)  # ten minutes of trying, and a busy machine
async def test_every_operation_does_what_it_is_described_to_do(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    length = LONG if pytestconfig.getoption("--hypothesis-profile") == "fuzz" else QUICK
    served = tmp_path / "served"
    served.mkdir()
    async with serve(served) as (world, address, tokens):
        arguments = ("run", f"{address}/openapi.json", "--continue-on-failure", "--no-color", *length)

        await run_client(arguments, directory=tmp_path, environment=tokens)

    succeeded = {(method, route) for method, route, status in world.recorder.served if 200 <= status < 300}
    described = {(row.method, row.path) for row in ROUTES if row.of is None}
    assert described - succeeded == NEVER_BY_CHANCE.keys()

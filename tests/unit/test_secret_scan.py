"""`just secrets` finds a planted secret in what git tracks, and lets the same file without it pass."""

import random
import string
import subprocess
import sys
from pathlib import Path

import pytest

JUSTFILE = Path(__file__).parents[2] / "justfile"
JUST = Path(sys.executable).with_name("just")


def made_up_token() -> str:
    """The shape of an access token of a code forge; put together here, so that this file holds none."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=36)
    return "gh" + "p_" + "".join(letters)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    return tmp_path


def git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(repository), *arguments], check=True, timeout=30)


def scan(repository: Path) -> "subprocess.CompletedProcess[str]":
    command = [str(JUST), "--justfile", str(JUSTFILE), "secrets", str(repository)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def settings(token: str) -> str:
    return f'host = "forge.example"\ntoken = "{token}"\n'


def test_a_tracked_secret_fails_the_scan_and_is_not_repeated_in_its_output(repository: Path) -> None:
    (repository / "settings.toml").write_text(settings(made_up_token()))
    git(repository, "add", "settings.toml")

    result = scan(repository)

    assert result.returncode != 0
    assert "settings.toml" in result.stdout
    assert made_up_token() not in result.stdout + result.stderr


def test_the_same_file_with_a_placeholder_passes(repository: Path) -> None:
    (repository / "settings.toml").write_text(settings("***"))
    git(repository, "add", "settings.toml")

    result = scan(repository)

    assert (result.returncode, result.stdout) == (0, "")


def test_a_secret_that_git_does_not_track_is_its_owners_business(repository: Path) -> None:
    (repository / ".env").write_text(settings(made_up_token()))

    assert scan(repository).returncode == 0

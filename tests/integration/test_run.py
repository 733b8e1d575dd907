"""`./run` gets from a clone with nothing in it to the program, without a network."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "run"

# A build backend of the standard library's: an editable wheel with one command, `glimpser`.
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "glimpser-0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("program.py", PROGRAM)
        info = "glimpser-0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: glimpser\\nVersion: 0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nglimpser = program:main\\n")
        wheel.writestr(info + "RECORD", "")
    return name
PROGRAM = '''
import sys, signal
def main():
    print("glimpser", *sys.argv[1:], flush=True)
    if sys.argv[1:] == ["wait"]:
        signal.pause()
    return 7 if sys.argv[1:] == ["fail"] else 0
'''
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "glimpser"
version = "0"
"""


def write_project(root: Path) -> None:
    """A project that needs nothing from anywhere, with the real ./run in it."""
    (root / "requirements").mkdir(parents=True)
    for name in ("build", "run", "develop"):
        (root / f"requirements/{name}.txt").write_text(f"# {name}: needs nothing\n")
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    shutil.copy(SCRIPT, root / "run")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("live") / "clone"
    write_project(root)
    return root


def start(root: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(root / "run"), *argv], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_first_run_sets_up_and_the_second_just_starts(clone: Path) -> None:
    first, second = start(clone), start(clone, "doctor", "--json")

    assert (first.returncode, first.stdout) == (0, "glimpser up\n"), first.stderr
    assert first.stderr.count("\n") == 1
    assert (second.returncode, second.stdout, second.stderr) == (0, "glimpser doctor --json\n", "")


def test_the_exit_code_is_the_programs(clone: Path) -> None:
    assert start(clone, "fail").returncode == 7


def test_a_signal_reaches_the_program(clone: Path) -> None:
    start(clone)
    with subprocess.Popen(
        [sys.executable, str(clone / "run"), "wait"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "glimpser wait\n"
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == -signal.SIGTERM


def test_a_half_made_environment_is_repaired(clone: Path) -> None:
    start(clone)
    (clone / ".venv/stamp.json").unlink()
    (clone / ".venv/bin/glimpser").unlink()

    repaired = start(clone)

    assert (repaired.returncode, repaired.stdout) == (0, "glimpser up\n"), repaired.stderr


def test_a_package_that_cannot_be_had_ends_in_one_sentence(clone: Path) -> None:
    start(clone)
    requirements = clone / "requirements/run.txt"
    old = requirements.read_text()
    requirements.write_text(f"--no-index\nno-such-package==1 --hash=sha256:{'0' * 64}\n")

    failed = start(clone)
    requirements.write_text(old)

    assert failed.returncode == 1
    assert failed.stdout == ""
    assert failed.stderr.splitlines()[-1].startswith("./run: A package is not to be had")

"""`./run`: what it decides and what it says."""

import ast
import importlib.machinery
import importlib.util
import json
import shutil
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "run"


def load(script: Path) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("run_script", str(script))
    spec = importlib.util.spec_from_loader("run_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run() -> ModuleType:
    return load(SCRIPT)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    root = tmp_path / "clone"
    (root / "requirements").mkdir(parents=True)
    for name in ("build", "run", "develop"):
        (root / f"requirements/{name}.txt").write_text(f"# {name}: needs nothing\n")
    (root / "pyproject.toml").touch()
    return root


class FakeBuild:
    """Leaves what the real one leaves, an interpreter and a stamp, and remembers what it was asked for."""

    def __init__(self, run: ModuleType) -> None:
        self.asked: list[tuple[str, bool]] = []
        self._run = run

    def __call__(self, root: Path, level: str, *, fresh: bool, lock: int) -> None:
        assert lock > 0
        self.asked.append((level, fresh))
        (root / ".venv/bin").mkdir(parents=True, exist_ok=True)
        (root / ".venv/bin/python").touch()
        (root / ".venv/stamp.json").write_text(json.dumps(self._run.fingerprint(root, level)))


@pytest.fixture
def build(run: ModuleType) -> FakeBuild:
    return FakeBuild(run)


# What it says ----------------------------------------------------------------------------------------


def test_the_script_parses_on_old_interpreters_so_that_they_can_say_so() -> None:
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_nothing_new_is_evaluated_before_the_version_check() -> None:
    body = ast.parse(SCRIPT.read_text()).body
    before = body[: next(i for i, node in enumerate(body) if isinstance(node, ast.If))]

    assert {type(node) for node in before[1:]} == {ast.Import, ast.ImportFrom, ast.FunctionDef}
    assert [ast.unparse(node.args) for node in before if isinstance(node, ast.FunctionDef)] == [
        "major: int, minor: int"
    ]


def test_an_old_interpreter_is_told_what_to_install(run: ModuleType) -> None:
    sentence = run.too_old(3, 9)

    assert "3.11 or newer" in sentence
    assert "Python 3.9" in sentence
    assert "apt install python3.11" in sentence


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "free at least"),
        ("[Errno 13] Permission denied: '.venv/pyvenv.cfg'", "clone it where your user may write"),
        ("The virtual environment was not created because ensurepip is not available", "python3-venv"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "report it"),
        ("ERROR: No matching distribution found for av==18.1.0", "64-bit Linux"),
        ("WARNING: Retrying after connection broken by 'NewConnectionError'", "internet"),
        ("The web app could not be built: npm failed", "GLIMPSER_UI=skip"),
    ],
)
def test_a_failed_step_is_explained_in_one_sentence_with_its_remedy(
    run: ModuleType, output: str, remedy: str
) -> None:
    sentence = run.explain(f"Collecting av\n{output}\n")

    assert remedy in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_lost_network_is_named_rather_than_the_package_not_found_because_of_it(run: ModuleType) -> None:
    output = "connection broken by 'ConnectTimeoutError'\nERROR: No matching distribution found for av"

    assert run.explain(output) == run.NO_NETWORK


def test_an_unknown_failure_points_at_the_output_shown(run: ModuleType) -> None:
    assert run.explain("something else") == run.UNKNOWN


# What it decides -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "level"),
    [
        ([], "run"),
        (["up"], "run"),
        (["snapshot", "test"], "run"),
        (["test"], "develop"),
        (["just"], "develop"),
    ],
)
def test_the_smallest_environment_that_can_run_the_command_is_wanted(
    run: ModuleType, argv: list[str], level: str
) -> None:
    assert run.wanted_level(argv) == level


def test_every_tool_for_developing_is_one_that_the_environment_has(run: ModuleType) -> None:
    tools = set(run.DEVELOP_TOOLS) - {"test"}

    assert {tool for tool in tools if not shutil.which(tool, path=str(Path(sys.executable).parent))} == set()


def test_a_clone_without_environment_is_set_up_from_nothing(run: ModuleType, clone: Path) -> None:
    assert run.plan(clone, "run") == ("run", True)


def test_nothing_is_done_when_nothing_changed(run: ModuleType, clone: Path, build: FakeBuild) -> None:
    run.prepare(clone, "run", build=build)
    run.prepare(clone, "run", build=build)

    assert build.asked == [("run", True)]


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/build.txt", "requirements/run.txt"])
def test_a_changed_input_brings_the_environment_up_to_date(
    run: ModuleType, clone: Path, build: FakeBuild, name: str
) -> None:
    run.prepare(clone, "run", build=build)
    with (clone / name).open("a") as file:
        file.write("# changed\n")

    assert run.plan(clone, "run") == ("run", False)


@pytest.fixture
def app(clone: Path) -> Path:
    """A web app's sources in the clone."""
    (clone / "web/src").mkdir(parents=True)
    (clone / "web/package.json").write_text("{}")
    (clone / "web/src/main.tsx").write_text("// first")
    return clone / "web"


@pytest.mark.parametrize("name", ["src/main.tsx", "src/new.tsx", "package-lock.json", "index.html"])
def test_a_changed_web_app_is_built_again(
    run: ModuleType, clone: Path, build: FakeBuild, app: Path, name: str
) -> None:
    run.prepare(clone, "run", build=build)
    assert run.plan(clone, "run") is None
    (app / name).write_text("// second")

    assert run.plan(clone, "run") == ("run", False)


def test_what_building_the_web_app_leaves_changes_nothing(
    run: ModuleType, clone: Path, build: FakeBuild, app: Path
) -> None:
    run.prepare(clone, "run", build=build)
    (app / "node_modules").mkdir()
    (app / "node_modules/stamp.json").write_text("{}")

    assert run.plan(clone, "run") is None


def test_a_built_web_app_that_was_removed_is_built_again(
    run: ModuleType, clone: Path, build: FakeBuild, app: Path
) -> None:
    built = clone / "src/glimpser/web_dist/index.html"
    built.parent.mkdir(parents=True)
    built.touch()
    run.prepare(clone, "run", build=build)
    built.unlink()

    assert run.plan(clone, "run") == ("run", False)


def test_the_web_app_is_left_alone_when_it_is_not_wanted(
    run: ModuleType, clone: Path, build: FakeBuild, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIMPSER_UI", "skip")
    run.prepare(clone, "run", build=build)
    (app / "src/main.tsx").write_text("// second")

    assert run.plan(clone, "run") is None
    assert not run.needs_node(clone)

    monkeypatch.delenv("GLIMPSER_UI")
    assert run.plan(clone, "run") == ("run", False)


@pytest.mark.parametrize(("version", "enough"), [("v22.12.0", "yes"), ("v24.1.0", "yes"), ("v20.20.2", "no")])
def test_node_is_fetched_only_where_none_is_new_enough(
    run: ModuleType, clone: Path, app: Path, monkeypatch: pytest.MonkeyPatch, version: str, enough: str
) -> None:
    programs = clone / "bin"
    programs.mkdir()
    for name in ("node", "npm"):
        (programs / name).write_text(f"#!/bin/sh\necho {version}\n")
        (programs / name).chmod(0o755)

    monkeypatch.setenv("PATH", str(programs))
    assert run.needs_node(clone) is (enough == "no")

    monkeypatch.setenv("PATH", str(clone))
    assert run.needs_node(clone)


def test_an_input_of_the_other_level_changes_nothing(run: ModuleType, clone: Path, build: FakeBuild) -> None:
    run.prepare(clone, "run", build=build)
    (clone / "requirements/develop.txt").write_text("# changed\n")

    assert run.plan(clone, "run") is None


def test_the_higher_level_is_added_in_place_and_stays(run: ModuleType, clone: Path, build: FakeBuild) -> None:
    for wanted in ("run", "develop", "run"):
        run.prepare(clone, wanted, build=build)

    assert build.asked == [("run", True), ("develop", False)]


@pytest.mark.parametrize("stamp", ["", "{", "[]", "null", '{"level": "other"}', '{"level": "run"}'])
def test_an_environment_whose_stamp_makes_no_sense_is_not_trusted(
    run: ModuleType, clone: Path, build: FakeBuild, stamp: str
) -> None:
    run.prepare(clone, "run", build=build)
    (clone / ".venv/stamp.json").write_text(stamp)

    assert run.plan(clone, "run") == ("run", True)


def test_a_setup_that_failed_half_way_begins_again_from_nothing(
    run: ModuleType, clone: Path, build: FakeBuild, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.prepare(clone, "run", build=build)
    (clone / "requirements/run.txt").write_text("# changed\n")

    def broken_step(command: list[str], *, lock: int) -> None:
        raise run.MissingError(run.NO_NETWORK)

    monkeypatch.setattr(run, "call", broken_step)
    with pytest.raises(run.MissingError):
        run.prepare(clone, "run")

    assert run.plan(clone, "run") == ("run", True)


def test_a_moved_clone_is_set_up_again(run: ModuleType, clone: Path, build: FakeBuild) -> None:
    run.prepare(clone, "run", build=build)
    moved = clone.rename(clone.with_name("moved"))

    assert run.plan(moved, "run") == ("run", True)


def test_an_environment_whose_interpreter_was_removed_is_set_up_again(
    run: ModuleType, clone: Path, build: FakeBuild
) -> None:
    run.prepare(clone, "develop", build=build)
    (clone / ".venv/bin/python").unlink()

    assert run.plan(clone, "run") == ("develop", True)


def test_two_at_the_same_time_set_up_once(run: ModuleType, clone: Path, build: FakeBuild) -> None:
    begun, second = threading.Event(), threading.Event()

    def slow_build(root: Path, level: str, *, fresh: bool, lock: int) -> None:
        begun.set()
        assert second.wait(timeout=10)
        build(root, level, fresh=fresh, lock=lock)

    first = threading.Thread(target=run.prepare, args=(clone, "run"), kwargs={"build": slow_build})
    first.start()
    assert begun.wait(timeout=10)
    other = threading.Thread(target=run.prepare, args=(clone, "run"), kwargs={"build": build})
    other.start()
    second.set()
    first.join(timeout=10)
    other.join(timeout=10)

    assert build.asked == [("run", True)]


def test_no_argument_starts_the_program(run: ModuleType, clone: Path) -> None:
    assert run.command_line(clone, []) == [f"{clone}/.venv/bin/glimpser", "up"]


def test_test_passes_its_arguments_on(run: ModuleType, clone: Path) -> None:
    command = run.command_line(clone, ["test", "-k", "x"])

    assert command[0] == f"{clone}/.venv/bin/pytest"
    assert command[-2:] == ["-k", "x"]


def test_an_executable_of_the_environment_goes_before_a_glimpser_command(
    run: ModuleType, clone: Path
) -> None:
    tool = clone / ".venv/bin/tool"
    tool.parent.mkdir(parents=True)
    tool.touch(mode=0o755)

    assert run.command_line(clone, ["tool", "-v"]) == [str(tool), "-v"]
    assert run.command_line(clone, ["up", "-v"]) == [f"{clone}/.venv/bin/glimpser", "up", "-v"]


def test_a_path_is_never_taken_for_an_executable(run: ModuleType, clone: Path) -> None:
    assert run.command_line(clone, ["../../run"])[0] == f"{clone}/.venv/bin/glimpser"

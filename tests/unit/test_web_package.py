"""The web app gets into the package: built when it has to be, and only then."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The build hook, over sources and a package of the test's own."""
    pytest.importorskip("hatchling", reason="hatchling is not installed: not an environment of ./run")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "web/hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    web, built = tmp_path / "web", tmp_path / "built"
    (web / "src").mkdir(parents=True)
    (web / "src/main.tsx").write_text("// app")
    (web / "package.json").write_text("{}")
    (web / "package-lock.json").write_text("{}")
    for name, path in {
        "WEB": web,
        "BUILT": built,
        "STAMP": built / "stamp.json",
        "INSTALLED": web / "node_modules/stamp.json",
    }.items():
        monkeypatch.setattr(module, name, path)
    return module


class FakeNpm:
    """Leaves what npm leaves, and remembers what it was asked for."""

    def __init__(self, hook: ModuleType) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._hook = hook

    def __call__(self, *arguments: str) -> None:
        self.asked.append(arguments)
        if arguments[0] == "ci":
            (self._hook.WEB / "node_modules").mkdir(exist_ok=True)
        else:
            self._hook.BUILT.mkdir(exist_ok=True)
            (self._hook.BUILT / "index.html").touch()


@pytest.fixture
def npm(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    fake = FakeNpm(hook)
    monkeypatch.setattr(hook, "npm", fake)
    return fake


def start(hook: ModuleType) -> Any:
    """Make the hook as Hatchling does; what it is told of the package does not matter to it."""
    nothing: Any = None
    return hook.WebAppHook(str(ROOT), {}, nothing, nothing, "", "wheel")


def test_the_app_is_built_once_for_the_same_sources(hook: ModuleType, npm: FakeNpm) -> None:
    for _ in range(2):
        start(hook).initialize("standard", {})

    assert [arguments[:2] for arguments in npm.asked] == [("ci", "--ignore-scripts"), ("run", "build")]


@pytest.mark.parametrize("name", ["src/main.tsx", "src/new.tsx", "package-lock.json", "index.html"])
def test_a_changed_source_is_built_anew(hook: ModuleType, npm: FakeNpm, name: str) -> None:
    start(hook).initialize("standard", {})
    (hook.WEB / name).write_text('{"changed": true}')
    npm.asked.clear()

    start(hook).initialize("standard", {})

    assert ("run", "build") in npm.asked


def test_a_build_that_failed_half_way_is_none(hook: ModuleType, npm: FakeNpm) -> None:
    start(hook).initialize("standard", {})
    hook.STAMP.unlink()

    assert not hook.is_built()


def test_tools_are_installed_for_developing_only_and_then_stay(
    hook: ModuleType, npm: FakeNpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(hook).initialize("standard", {})
    assert "--omit=dev" in npm.asked[0]
    npm.asked.clear()

    monkeypatch.setenv("GLIMPSER_UI", "develop")
    start(hook).initialize("standard", {})
    [installed] = npm.asked
    assert installed[0] == "ci"
    assert "--omit=dev" not in installed

    npm.asked.clear()
    monkeypatch.delenv("GLIMPSER_UI")
    start(hook).initialize("standard", {})
    assert npm.asked == []


def test_nothing_is_done_where_the_app_is_not_wanted(
    hook: ModuleType, npm: FakeNpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIMPSER_UI", "skip")

    start(hook).initialize("standard", {})

    assert npm.asked == []
    assert start(hook).dependencies() == []


def test_node_is_a_dependency_only_when_there_is_work_and_no_node(
    hook: ModuleType, npm: FakeNpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "node_folder", lambda: None)
    assert start(hook).dependencies() == [hook.NODE]

    start(hook).initialize("standard", {})
    assert start(hook).dependencies() == []


@pytest.mark.parametrize(
    "error", [RuntimeError("no Node"), OSError("disk full"), subprocess.CalledProcessError(1, "npm")]
)
def test_a_build_that_cannot_be_stops_the_installation_with_a_sentence(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: str) -> None:
        raise error

    monkeypatch.setattr(hook, "npm", broken)

    with pytest.raises(SystemExit, match=r"The web app could not be built: .*GLIMPSER_UI=skip"):
        start(hook).initialize("standard", {})


# The lock --------------------------------------------------------------------------------------------


def packages() -> dict[str, dict[str, Any]]:
    lock = json.loads((ROOT / "web/package-lock.json").read_text())
    assert isinstance(lock["packages"], dict)
    return lock["packages"]


def test_the_lock_holds_every_package_it_names_for_every_platform() -> None:
    known = {path.rpartition("node_modules/")[2] for path in packages()}
    named = {
        name
        for entry in packages().values()
        for kind in ("dependencies", "optionalDependencies")
        for name in entry.get(kind, {})
    }

    assert named - known == set()


def test_the_lock_pins_contents_and_names_no_host() -> None:
    entries = {path: entry for path, entry in packages().items() if path and not entry.get("inBundle")}

    assert {path for path, entry in entries.items() if "integrity" not in entry} == set()
    assert {path for path, entry in entries.items() if "resolved" in entry} == set()


def test_the_web_app_passes_its_own_tests() -> None:
    stamp = ROOT / "web/node_modules/stamp.json"
    if not stamp.exists() or not json.loads(stamp.read_text())["develop"]:
        pytest.skip("the web app's tools are not installed (./run test installs them)")

    done = subprocess.run(
        [sys.executable, str(ROOT / "web/hatch_build.py"), "test"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def built_from_the_document(hook: ModuleType, tmp_path: Path) -> Path:
    """Lay out what a build looks at first, with the real tools; gives the OpenAPI document."""
    if not (ROOT / "web/node_modules/openapi-typescript").is_dir():
        pytest.skip("the web app's tools are not installed: not an environment of ./run test")
    for name in ("package.json", "fresh.js", "src/api/schema.d.ts"):
        (hook.WEB / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "web" / name, hook.WEB / name)
    (hook.WEB / "node_modules").symlink_to(ROOT / "web/node_modules")
    document = tmp_path / "docs/reference/openapi.json"
    document.parent.mkdir(parents=True)
    shutil.copy(ROOT / "docs/reference/openapi.json", document)
    return document


def test_types_made_from_the_document_are_fresh(
    hook: ModuleType, built_from_the_document: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hook.npm("run", "fresh")  # raises when it stops

    assert "out of date" not in capfd.readouterr().err


def test_a_build_stops_when_its_types_are_not_those_of_the_document(
    hook: ModuleType, built_from_the_document: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(built_from_the_document.read_text())
    document["components"]["schemas"]["VersionView"]["properties"]["colour"] = {"type": "string"}
    built_from_the_document.write_text(json.dumps(document))

    with pytest.raises(subprocess.CalledProcessError):
        hook.npm("run", "build")

    assert "schema.d.ts is out of date: run `just web-types`" in capfd.readouterr().err
    assert not hook.BUILT.exists()

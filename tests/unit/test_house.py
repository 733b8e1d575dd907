"""The house is in order: what lies where, what the requirement files say, which links lead somewhere."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from glimpser.config.catalogue import SETTINGS

ROOT = Path(__file__).parents[2]
ROOT_NAMES = {
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "pyproject.toml"),
    *("justfile", "run", "requirements", "src", "web", "tests", "docs", "deploy", ".ci", ".github"),
    *(".editorconfig", ".gitattributes", ".gitignore", ".pre-commit-config.yaml"),
}
# Hosts that packages are fetched from: a mirror may stand in for them, so nothing here may name them.
REGISTRY_HOST = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|crates\.io)\b"
)
# A folder of one person's machine. Service directories (/var/lib/…, /etc/…) are no secret of anybody's.
MACHINE_PATH = re.compile(r"(?<![\w.:*/}])/(?:root|work|Users/\w+|home/\w+)/\w")
# name==version [; marker] \   followed by its hashes
PIN = re.compile(
    r"^([a-z0-9.-]+)==([^\s;]+)( ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)
LOCKS = ("run", "develop", "build", "web")


@cache
def tracked() -> tuple[str, ...]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: git cannot say which files belong to the project")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def tracked_texts() -> Iterator[tuple[str, str]]:
    for name in tracked():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data:
            yield name, data.decode()


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def lock(name: str) -> str:
    return (ROOT / f"requirements/{name}.txt").read_text()


def pins(name: str) -> dict[str, dict[str, str]]:
    """Package → version → its hashes, as written; a package has two versions where a marker decides."""
    found: dict[str, dict[str, str]] = {}
    for package, version, marker, hashes in PIN.findall(lock(name)):
        found.setdefault(package, {})[version] = marker + hashes
    return found


# What lies where -------------------------------------------------------------------------------------


def test_the_root_holds_only_what_everybody_looks_for_there() -> None:
    names = {name.partition("/")[0] for name in tracked()}

    assert names - ROOT_NAMES == set()


def test_no_file_names_a_package_registry_or_the_folder_of_a_person() -> None:
    found = [
        f"{name}: {match[0]}"
        for name, text in tracked_texts()
        for pattern in (REGISTRY_HOST, MACHINE_PATH)
        for match in pattern.finditer(text)
    ]

    assert found == []


@pytest.mark.parametrize(
    "line", ["see https://pypi" + ".org/project/av", "cd /ro" + "ot/glimpser", "open('/ho" + "me/ann/x.jpg')"]
)
def test_such_a_name_would_be_found(line: str) -> None:
    assert REGISTRY_HOST.search(line) or MACHINE_PATH.search(line)


@pytest.mark.parametrize("line", ["/var/lib/glimpser/media", "tests/work/x", "https://example.org/work/1"])
def test_a_harmless_path_would_not(line: str) -> None:
    assert not MACHINE_PATH.search(line)


def test_what_is_started_by_name_is_executable() -> None:
    for name in ("run", ".ci/run"):
        assert (ROOT / name).stat().st_mode & 0o111, name


# Requirements ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_only_pins_with_hashes_and_names_no_host(name: str) -> None:
    assert PIN.sub("", lock(name)) == ""
    assert pins(name)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_satisfies_what_is_declared(name: str) -> None:
    declared = {
        "run": project()["project"]["dependencies"],
        "develop": project()["project"]["dependencies"] + project()["dependency-groups"]["develop"],
        "build": (ROOT / "requirements/build.in").read_text().split(),
        "web": (ROOT / "requirements/web.in").read_text().split(),
    }[name]

    unmet = [
        text
        for text in declared
        for wanted in [Requirement(text)]
        if not any(wanted.specifier.contains(v) for v in pins(name).get(canonicalize_name(wanted.name), {}))
    ]

    assert unmet == []


def test_the_locks_agree_so_that_levels_can_be_added_to_each_other() -> None:
    develop, build = pins("develop"), pins("build")

    assert {name: versions for name, versions in pins("run").items() if develop.get(name) != versions} == {}
    assert {name for name in build if name in develop and develop[name] != build[name]} == set()


def test_the_build_lock_holds_the_declared_build_backend() -> None:
    declared = {Requirement(text).name for text in project()["build-system"]["requires"]}

    assert declared <= set(pins("build"))


# Contracts -------------------------------------------------------------------------------------------


def contract(kind: str, **having: object) -> dict[str, Any]:
    contracts = project()["tool"]["importlinter"]["contracts"]
    [found] = [c for c in contracts if c["type"] == kind and having.items() <= c.items()]
    return dict(found)


def test_every_adapter_that_exists_is_protected() -> None:
    layers: list[str] = contract("layers")["layers"]
    [adapters] = [layer for layer in layers if "capture" in layer]
    names = re.findall(r"\w+", adapters)
    existing = {
        f"glimpser.{name}"
        for name in names
        if any((ROOT / f"src/glimpser/{name}{end}").exists() for end in (".py", "/__init__.py"))
    }

    assert existing <= set(contract("protected")["protected_modules"])


def test_the_core_is_forbidden_every_dependency_but_two() -> None:
    modules: dict[str, str] = project()["tool"]["deptry"]["package_module_name_map"]
    names = {Requirement(text).name for text in project()["project"]["dependencies"]}
    imported = {modules.get(name, name.removesuffix("-cffi").replace("-", "_")) for name in names}
    forbidden = contract("forbidden", source_modules=["glimpser.core"])["forbidden_modules"]

    assert set(forbidden) == imported - {"ulid", "cronsim"}


def test_the_core_imports_nothing_undeclared_either() -> None:
    allowed = {*sys.stdlib_module_names, "glimpser", "ulid", "cronsim"}
    found = {
        f"{path.name}: {name}"
        for path in (ROOT / "src/glimpser/core").rglob("*.py")
        for name in imported_modules(path)
        if name.partition(".")[0] not in allowed
    }

    assert found == set()


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


# Documents -------------------------------------------------------------------------------------------


def test_decisions_are_numbered_without_holes_and_dated() -> None:
    decisions = sorted(path for path in (ROOT / "docs/adr").glob("*.md"))

    assert [path.name[:5] for path in decisions] == [f"{n:04}-" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text()
        assert re.match(rf"# {path.name[:4]} \S", text), path.name
        assert re.search(r"^Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE), path.name
        assert re.search(r"^Status: (proposed|accepted|superseded by \d{4})$", text, re.MULTILINE), path.name


def slug(heading: str) -> str:
    """The anchor a code forge gives a heading: lower case, punctuation dropped, spaces to hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)}


def broken_links(page: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield f"{page.name}: {target}"


def test_links_between_documents_lead_somewhere() -> None:
    pages = [ROOT / name for name in tracked() if name.endswith(".md")]

    assert [link for page in pages for link in broken_links(page)] == []


def test_a_link_that_leads_nowhere_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One two\n[a](page.md#one-two) [b](page.md#three) [c](gone.md) [d](https://example.org)\n"
    )

    assert list(broken_links(page)) == ["page.md: page.md#three", "page.md: gone.md"]


def test_every_page_is_reachable_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#:]+\.md)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links]

    pages = {ROOT / name for name in tracked() if name.startswith("docs/") and name.endswith(".md")}
    assert pages - reached == set()


def test_every_setting_has_its_row_with_its_default_and_no_row_is_left_over() -> None:
    page = (ROOT / "docs/guide/configuration.md").read_text()
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.*?) \| .+ \|$", page, re.MULTILINE))

    assert {name: text.replace("`", "") for name, text in rows.items()} == {
        setting.name: setting.default for setting in SETTINGS.values()
    }

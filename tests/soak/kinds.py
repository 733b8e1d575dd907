"""A view of every kind, and every trouble each of them can have, in one running program."""

import tempfile
from pathlib import Path

from tests.bench.figures import Figure, Part
from tests.kinds_watching import Seen, open_to, watch_troubles
from tests.kinds_world import Watched, every_kind
from tests.program import running


def run() -> Part:
    """Break and mend everything: a frozen picture takes a minute to be told, a video site five to return."""
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "files"
        files.mkdir()
        with (
            every_kind(files) as views,
            running(Path(folder) / "data", open_to(files)) as program,
            program.set_up() as client,
        ):
            rounds = [
                watch_troubles(client, views, troubles, told_within_s=150, well_within_s=420)
                for troubles in _rounds(views)
            ]
    said = [_said(name, seen[name]) for seen in rounds for name in seen if not _is_right(seen[name])]
    figures = [figure for seen in rounds for name in seen for figure in _figures(name, seen[name])]
    return Part("Every kind of view, and every trouble", figures, ["each round adds its views anew", *said])


def _rounds(views: dict[str, Watched]) -> list[dict[str, str]]:
    """Give each view its first trouble, then its second, and so on."""
    most = max(len(watched.troubles) for watched in views.values())
    return [
        {name: list(w.troubles)[turn] for name, w in views.items() if turn < len(w.troubles)}
        for turn in range(most)
    ]


def _is_right(seen: Seen) -> bool:
    shown = seen.first == "ok" and seen.picture == seen.wanted
    return shown and seen.is_told and seen.again == "ok"


def _said(name: str, seen: Seen) -> str:
    told = f"{seen.trouble.get('state')}: {seen.trouble.get('reason')}"
    return f"{name}: first {seen.first}, {seen.picture} of {seen.wanted}; then {told}; at last {seen.again}"


def _figures(name: str, seen: Seen) -> list[Figure]:
    what = f"{name}, {seen.expected[0]}"
    return [
        Figure(name=f"{what}: shown, told and well again", value=int(_is_right(seen)), unit="", at_least=1),
        Figure(name=f"{what}: told after", value=seen.told_after_s, unit="s"),
    ]

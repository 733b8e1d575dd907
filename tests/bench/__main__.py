"""Benchmarks of the hot paths: `python -m tests.bench [NAMES…] [--seconds S] [--json FILE]`.

Every figure that matters is a ratio to a limit or a peer measured in the same run, sides alternating:
absolute times say more about the machine than about the program. Needs `ffmpeg`, the limit. Exit status 1:
a target was missed.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench import artifacts, fsck, ingest, lists, mjpeg, pages, schedules, snapshot, start, wall
from tests.bench.figures import Part

Run = Callable[[float | None], tuple[bool, object]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the hot paths.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PARTS)}; none: all")
    parser.add_argument("--seconds", type=float, help="length of one measurement (default: the part's own)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if unknown := set(options.names) - set(PARTS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    results = {name: PARTS[name](options.seconds) for name in options.names or PARTS}
    if options.json:
        found = {name: result for name, (_, result) in results.items()}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if all(met for met, _ in results.values()) else 1


def _part(run: Callable[..., Part]) -> Run:
    """Wrap a part: print its table, give whether it met its targets, and its figures."""

    def measured(seconds: float | None) -> tuple[bool, object]:
        part = run() if seconds is None else run(seconds)
        sys.stdout.write(f"{part.table()}\n\n")
        sys.stdout.flush()
        return part.met, part.as_dict()

    return measured


def _mjpeg(seconds: float | None) -> tuple[bool, object]:
    results = mjpeg.run() if seconds is None else mjpeg.run(seconds)
    return results.steady, results.as_dict()


PARTS: Mapping[str, Run] = {
    "artifacts": _part(artifacts.run),
    "fsck": _part(fsck.run),
    "ingest": _part(ingest.run),
    "lists": _part(lists.run),
    "mjpeg": _mjpeg,
    "pages": _part(pages.run),
    "schedules": _part(schedules.run),
    "snapshot": _part(snapshot.run),
    "start": _part(start.run),
    "wall": _part(wall.run),
}

if __name__ == "__main__":
    sys.exit(main())

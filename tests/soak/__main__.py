"""The program under trouble: `python -m tests.soak [NAMES…]`; `--help` names the rest.

Exit status 1: something was lost, stayed behind, or took too long.
"""

import argparse
import json
import logging
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from tests.bench.figures import Part
from tests.soak import alerts, edge, kept, kills, kinds, outages, pages, runner, schedules, viewers, wal

NAMES = (
    "kills",
    "outages",
    "viewers",
    "alerts",
    "schedules",
    "runner",
    "pages",
    "edge",
    "kinds",
    "wal",
    "kept",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Kill, cut off, overload.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; none: all")
    parser.add_argument(
        "--rounds", type=int, default=30, help="how often the program is killed while recording"
    )
    parser.add_argument("--kills", type=int, default=300, help="how often it is killed while alerting")
    parser.add_argument("--cycles", type=int, default=500, help="how many hostile programs are run")
    parser.add_argument("--days", type=int, default=400, help="how many days of schedules pass")
    parser.add_argument("--cuts", type=int, default=1000, help="at how many places the log is broken off")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long it keeps")
    parser.add_argument("--store", choices=kept.STORES, default="disk", help="where it keeps objects")
    parser.add_argument("--seed", type=int, help="makes the moments of the kills those of an earlier run")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    sys.stdout.write(f"seed {seed}\n\n")
    parts: Mapping[str, Callable[[], Part]] = {
        "kills": lambda: kills.run(options.rounds, random.Random(seed)),
        "outages": outages.run,
        "viewers": viewers.run,
        "alerts": lambda: alerts.run(options.kills, random.Random(seed)),
        "schedules": lambda: schedules.run(options.days, random.Random(seed)),
        "runner": lambda: runner.run(options.cycles, random.Random(seed)),
        "pages": lambda: pages.run(random.Random(seed)),
        "edge": lambda: edge.run(random.Random(seed)),
        "kinds": kinds.run,
        "kept": lambda: kept.run(options.minutes, options.store, random.Random(seed)),
        "wal": lambda: wal.run(options.cuts, random.Random(seed)),
    }
    results = {name: _shown(parts[name]()) for name in options.names or NAMES}
    if options.json:
        found = {name: part.as_dict() for name, part in results.items()}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0 if all(part.met for part in results.values()) else 1


def _shown(part: Part) -> Part:
    sys.stdout.write(f"{part.table()}\n\n")
    sys.stdout.flush()
    return part


if __name__ == "__main__":
    sys.exit(main())

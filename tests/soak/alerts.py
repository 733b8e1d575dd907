"""The program killed again and again while it alerts: whoever was to be told is told, under one key each."""

import json
import math
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from glimpser.testing.clips import make_clip
from tests.bench.figures import Figure, Part
from tests.program import Program, command, environment, wait_for
from tests.program import glimpser as run_command
from tests.soak.failpoints import on_the_alert_path
from tests.soak.moody import MoodyReceiver

RARELY = 30
"""Of so many kills, one at least is at each failpoint."""
WORST_MOMENTS = on_the_alert_path()
"""All failpoints from the picture of an event to the record of its delivery."""

_VIEWS: Mapping[str, tuple[float, float]] = {
    "gate.mp4": (0.4, 1.4),
    "hall.mp4": (0.8, 1.8),
    "yard.mp4": (1.2, 2.2),
}
"""When something moves in each. The detector is one that needs no time to learn, so bursts begin at once."""
_CLIP_S = 4.8
_SECRET = "of a receiver that lives as long as the run"
_BASE_URL = "https://glimpser.example"
_DIES_WITHIN_S = 20.0
_TRIES = 3
"""A busy machine may not come to a failpoint in time."""
_EARLY_SHARE = 0.2
_EARLY_S = (0.05, 1.8)
_SETTLES_WITHIN_S = 900.0
_PICTURES = 200
_PAGE = 200
_KILLED = -9


@dataclass(slots=True)
class _Found:
    """What the rounds left: who was killed where, and what was once seen through the API."""

    killed: Counter[str] = field(default_factory=Counter)
    alerts_seen: set[str] = field(default_factory=set)
    sent_seen: set[str] = field(default_factory=set)
    took_s: float = 0.0
    settled_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """A program that is not running, what it tells, and how it is reached when it runs."""

    settings: Mapping[str, str]
    data_dir: Path
    receiver: MoodyReceiver
    headers: Mapping[str, str]
    rules: Mapping[str, str]
    """The id of each view's rule, by that of the view."""

    def program(self, **settings: str) -> Program:
        return Program(self.data_dir, {**self.settings, **settings})

    def client(self, program: Program) -> httpx2.Client:
        return httpx2.Client(base_url=program.url, headers=self.headers, timeout=20)


def run(kills: int, chance: random.Random) -> Part:
    """Kill the program so often; then let it send what is left, and compare everybody's books."""
    found = _Found()
    with tempfile.TemporaryDirectory() as folder, _stage(Path(folder), chance) as stage:
        began = time.monotonic()
        for worst_moment in _plan(kills, chance):
            if worst_moment:
                _die_at(worst_moment, stage, found, chance)
            elif chance.random() < _EARLY_SHARE:
                _kill_early(stage, found, chance)
            else:
                _kill_at_work(stage, found, chance)
        found.took_s = time.monotonic() - began
        stage.receiver.calm = True
        program = stage.program().start()
        with _ended(program), stage.client(program) as client:
            found.settled_s = _settle(client)
            events, alerts = _all(client, "events"), _all(client, "alerts")
            missing = _missing_pictures(client, stage.receiver, chance)
        figures = [
            *_kill_figures(found, kills),
            *_alert_figures(stage, found, events, alerts),
            Figure(name="pictures behind links that do not open", value=missing, unit="", at_most=0),
            Figure(name="problems found by fsck", value=len(_fsck(program)), unit="", at_most=0),
        ]
    return Part(f"Killed {kills} times while alerting", figures, _notes(found, alerts))


def _plan(kills: int, chance: random.Random) -> Sequence[str | None]:
    """Name the failpoint of each kill, None for one that comes from outside, in any order."""
    each = math.ceil(kills / RARELY)
    worst = [name for name in WORST_MOMENTS for _ in range(each)]
    plan = [*worst, *[None] * (kills - len(worst))]
    chance.shuffle(plan)
    return plan


# The program and its world ----------------------------------------------------------------------------


@contextmanager
def _stage(folder: Path, chance: random.Random) -> Iterator[_Stage]:
    """Make views, each with a rule, and two channels to one receiver, one of them for all rules."""
    media = folder / "media"
    media.mkdir()
    for seed, (name, motion) in enumerate(_VIEWS.items()):
        make_clip(
            media / name, seconds=_CLIP_S, width=320, height=180, fps=10, gop=10, motion=[motion], seed=seed
        )
    settings = {
        "GLIMPSER_CAPTURE__FILE_ROOTS": json.dumps([str(media)]),
        "GLIMPSER_CAPTURE__EGRESS_ALLOW": '["127.0.0.0/8"]',
        "GLIMPSER_EXTERNAL__WEBHOOK_BASE_URL": _BASE_URL,
        "GLIMPSER_SECURITY__TOKEN_TTL_S": "86400",
    }
    with MoodyReceiver(_SECRET, random.Random(chance.random())) as receiver:
        program = Program(folder / "data", settings).start()
        try:
            with program.set_up() as client:
                rules = _furnish(client, receiver.url)
                headers = {"Authorization": client.headers["Authorization"]}
        finally:
            program.kill()
        yield _Stage(
            settings=settings, data_dir=program.data_dir, receiver=receiver, headers=headers, rules=rules
        )


def _furnish(client: httpx2.Client, url: str) -> Mapping[str, str]:
    config = {"url": url, "secret": _SECRET}
    channels = [
        _created(client, "/api/admin/channels", name=name, kind="webhook", config=config)["id"]
        for name in ("Guard", "Owner")
    ]
    rules = {}
    for number, name in enumerate(_VIEWS):
        rule = {"name": f"Motion at {name}", "channels": channels[: 1 + number % 2]}
        view = _created(
            client,
            "/api/templates",
            name=name,
            kind="file",
            config={"path": name},
            motion={"detector": "pixel_diff"},
            rules=[rule],
        )
        rules[view["id"]] = view["rules"][0]["id"]
    return rules


def _created(client: httpx2.Client, path: str, **body: object) -> dict[str, Any]:
    answer = client.post(path, json=body).raise_for_status()
    created: dict[str, Any] = answer.json()
    return created


# Killing it -------------------------------------------------------------------------------------------


def _die_at(worst_moment: str, stage: _Stage, found: _Found, chance: random.Random) -> None:
    """Have it kill itself at one of the first passages of a failpoint; again if it did not come there."""
    for _ in range(_TRIES):
        specification = f"{worst_moment}:kill:{chance.randint(1, 3)}"
        with _launched(stage, GLIMPSER_FAILPOINT=specification) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_DIES_WITHIN_S)
            status = process.returncode
        assert status in (None, _KILLED), f"it ended by itself: see {stage.data_dir}.log"
        found.killed[worst_moment if status else "elsewhere"] += 1
        if status:
            return


def _kill_early(stage: _Stage, found: _Found, chance: random.Random) -> None:
    """Kill it while it starts: it may be migrating, recovering, or just beginning to work."""
    with _launched(stage) as process:
        time.sleep(chance.uniform(*_EARLY_S))
        assert process.poll() is None, f"it ended by itself: see {stage.data_dir}.log"
    found.killed["starting"] += 1


def _kill_at_work(stage: _Stage, found: _Found, chance: random.Random) -> None:
    """Look at what there is, then kill it a moment after the receiver has heard of it some times."""
    program = stage.program().start()
    with _ended(program):
        before = stage.receiver.requests
        with stage.client(program) as client:
            _remember(found, client.get("/api/alerts", params={"limit": _PAGE}).json()["items"])
        more, deadline = chance.randint(1, 5), time.monotonic() + chance.uniform(1.0, 3.0)
        while stage.receiver.requests < before + more and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.1))
    found.killed["at work"] += 1


@contextmanager
def _launched(stage: _Stage, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start it without waiting for its words; at the end it is killed, unless it is dead already."""
    program = stage.program()
    with (
        program.log.open("a") as log,
        subprocess.Popen(
            [*command("up"), "--data-dir", str(stage.data_dir), "--port", "0"],
            env=environment({"GLIMPSER_OBSERVABILITY__PORT": "0", **stage.settings, **settings}),
            stdout=subprocess.DEVNULL,
            stderr=log,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _ended(program: Program) -> Iterator[None]:
    try:
        yield
    finally:
        program.kill()


def _remember(found: _Found, alerts: Sequence[Mapping[str, Any]]) -> None:
    found.alerts_seen |= {alert["id"] for alert in alerts}
    found.sent_seen |= {delivery["id"] for delivery in _deliveries(alerts) if delivery["status"] == "sent"}


# Comparing --------------------------------------------------------------------------------------------


def _settle(client: httpx2.Client) -> float:
    """Switch the views off and wait until every delivery has come to an end; seconds that took."""
    for view in _all(client, "templates"):
        match = {"If-Match": f'"{view["version"]}"'}
        client.patch(
            f"/api/templates/{view['id']}", json={"enabled": False}, headers=match
        ).raise_for_status()
    began = time.monotonic()

    def is_settled() -> bool:
        time.sleep(1)
        return all(delivery["status"] in ("sent", "dead") for delivery in _deliveries(_all(client, "alerts")))

    with suppress(AssertionError):  # what is left then is told as lost
        wait_for(is_settled, within_s=_SETTLES_WITHIN_S)
    return time.monotonic() - began


def _kill_figures(found: _Found, kills: int) -> Iterator[Figure]:
    rarest = min(found.killed[name] for name in WORST_MOMENTS)
    least = math.ceil(kills / RARELY)
    yield Figure(name="killed", value=found.killed.total(), unit="", at_least=kills)
    yield Figure(name="at the rarest failpoint", value=rarest, unit="", at_least=least)
    yield Figure(name="seconds for each", value=found.took_s / kills, unit="s")
    yield Figure(name="all settled after", value=found.settled_s, unit="s", at_most=_SETTLES_WITHIN_S)


def _alert_figures(
    stage: _Stage, found: _Found, events: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, Any]]
) -> Iterator[Figure]:
    letters = stage.receiver.letters
    deliveries = _deliveries(alerts)
    status = Counter(delivery["status"] for delivery in deliveries)
    sent = {delivery["id"]: delivery["idempotency_key"] for delivery in deliveries if delivery["sent_at"]}
    wanted = Counter((event["id"], stage.rules[event["template_id"]]) for event in events)
    made = Counter((alert["event_id"], alert["rule_id"]) for alert in alerts)
    known = {delivery["idempotency_key"]: delivery["alert_id"] for delivery in deliveries}
    untaken = sum(not (key in letters and letters[key].taken) for key in sent.values())
    unasked = sum(letter.alert_ids != {known.get(key)} for key, letter in letters.items())
    again = sum(letter.taken - 1 for letter in letters.values() if letter.taken)
    gone = len(found.alerts_seen - {alert["id"] for alert in alerts}) + len(found.sent_seen - set(sent))
    yield Figure(name="events", value=len(events), unit="", at_least=1)
    yield Figure(name="alerts", value=len(alerts), unit="", at_least=1)
    yield Figure(name="deliveries sent", value=status["sent"], unit="", at_least=1)
    yield Figure(name="deliveries given up", value=status["dead"], unit="", at_most=0)
    yield Figure(
        name="deliveries lost", value=len(deliveries) - status["sent"] - status["dead"], unit="", at_most=0
    )
    yield Figure(name="sent, but never taken", value=untaken, unit="", at_most=0)
    yield Figure(name="events without their alert", value=(wanted - made).total(), unit="", at_most=0)
    yield Figure(name="alerts nobody asked for", value=(made - wanted).total(), unit="", at_most=0)
    yield Figure(name="messages of no known delivery", value=unasked, unit="", at_most=0)
    yield Figure(name="seen once, gone later", value=gone, unit="", at_most=0)
    yield Figure(name="messages the receiver got", value=stage.receiver.requests, unit="")
    yield Figure(name="taken before, dropped by their key", value=again, unit="")
    yield Figure(name="signatures not genuine", value=stage.receiver.forged, unit="", at_most=0)


def _missing_pictures(client: httpx2.Client, receiver: MoodyReceiver, chance: random.Random) -> int:
    """Open a sample of the links as one who has nothing but the message; gives how many show no picture."""
    links = [str(letter.document["picture_url"]) for letter in receiver.letters.values()]
    missing = 0
    for link in chance.sample(links, min(_PICTURES, len(links))):
        answer = httpx2.get(f"{client.base_url}".rstrip("/") + link.removeprefix(_BASE_URL))
        missing += answer.status_code != 200 or not answer.content.startswith(b"\xff\xd8")
    return missing


def _fsck(program: Program) -> Sequence[str]:
    told = run_command("fsck", "--level", "hash", "--json", "--data-dir", str(program.data_dir))
    problems = [f"{found['kind']} {found['detail']}" for found in json.loads(told.stdout)["problems"]]
    return problems or ([told.stderr[-200:]] if told.returncode else [])


def _notes(found: _Found, alerts: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    attempts = Counter(delivery["attempts"] for delivery in _deliveries(alerts))
    return [
        "killed: " + ", ".join(f"{name} {count}" for name, count in sorted(found.killed.items()) if count),
        "attempts: " + ", ".join(f"{number} for {count}" for number, count in sorted(attempts.items())),
    ]


def _deliveries(alerts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**delivery, "alert_id": alert["id"]} for alert in alerts for delivery in alert["deliveries"]]


def _all(client: httpx2.Client, what: str) -> list[dict[str, Any]]:
    """Give all `events`, `alerts` or `templates` there are."""
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": _PAGE}
    while True:
        page = client.get(f"/api/{what}", params=query).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]

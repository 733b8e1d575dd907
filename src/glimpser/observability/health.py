"""Whether the program can serve: a gate for its start and end, and named checks of what it needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from glimpser.core.clock import Clock

_log = structlog.get_logger(__name__)

Gate = Literal["starting", "ready", "stopping"]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`detail` is for the operator, in plain words; anybody may read it, so it holds no secret."""

    ok: bool
    detail: str = ""


Check = Callable[[], Awaitable[CheckResult]]
Readiness = tuple[bool, Mapping[str, CheckResult]]


class Health:
    """All methods on the event loop's thread. Not ready before `started` and after `stopping`.

    A check that raises or takes longer than `timeout_s` counts as failed. Anybody may ask, so the answer is
    kept for `keep_s` and made once however many ask at one time; the gate is always that of the moment.
    """

    def __init__(self, clock: Clock, *, timeout_s: float = 2.0, keep_s: float = 1.0) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._keep_s = keep_s
        self._checks: dict[str, Check] = {}
        self._gate: Gate = "starting"
        self._one_at_a_time = asyncio.Lock()
        self._kept: dict[str, CheckResult] = {}
        self._kept_until_s = float("-inf")

    @property
    def gate(self) -> Gate:
        return self._gate

    def add(self, name: str, check: Check) -> None:
        """Add a check, or put another in the place of the one of this name."""
        self._checks[name] = check
        self._kept_until_s = float("-inf")

    def started(self) -> None:
        """Open the gate; once the program stops it stays shut."""
        if self._gate == "starting":
            self._gate = "ready"

    def stopping(self) -> None:
        """Shut the gate: load balancers send nothing new, while what runs is brought to an end."""
        self._gate = "stopping"

    async def ready(self) -> Readiness:
        """Tell whether to send requests, and what each check found. Never raises."""
        results = await self._results()
        everything = {"program": CheckResult(ok=self._gate == "ready", detail=self._gate), **results}
        return all(result.ok for result in everything.values()), everything

    async def _results(self) -> dict[str, CheckResult]:
        async with self._one_at_a_time:
            if self._clock.monotonic() >= self._kept_until_s:
                self._kept = await self._run_all()
                self._kept_until_s = self._clock.monotonic() + self._keep_s
            return self._kept

    async def _run_all(self) -> dict[str, CheckResult]:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self._run(name, check)) for name, check in self._checks.items()}
        return {name: task.result() for name, task in tasks.items()}

    async def _run(self, name: str, check: Check) -> CheckResult:
        try:
            async with asyncio.timeout(self._timeout_s):
                result = await check()
        except TimeoutError:
            result = CheckResult(ok=False, detail=f"no answer within {self._timeout_s:g} s")
        except Exception:  # noqa: BLE001 (a broken check must not hide what the others found)
            _log.warning("health.check_failed", check=name, exc_info=True)
            result = CheckResult(ok=False, detail="the check itself failed; the log says why")
        return result

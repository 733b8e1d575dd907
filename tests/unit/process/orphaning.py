"""A program that starts another and is killed: `python orphaning.py SCRATCH MARK`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from glimpser.core.clock import SystemClock
from glimpser.observability.metrics import Metrics
from glimpser.process.runner import Runner
from tests.hostile_programs import SCRIPTS, script


async def main() -> None:
    runner = Runner(Path(sys.argv[1]), clock=SystemClock(), recorder=Metrics("0"))
    text = f"(setsid sleep 100 &); echo ready; {SCRIPTS['hanging']}"
    async with runner.start(script(text, mark=sys.argv[2]), stdout=True) as child:
        assert child.stdout is not None
        await child.stdout.readline()
        os.kill(os.getpid(), signal.SIGKILL)


asyncio.run(main())

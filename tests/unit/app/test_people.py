"""Accounts, as the program opens them."""

import os
import sys
import threading
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from glimpser.app.people import open_passwords
from glimpser.config import load

pytestmark = pytest.mark.anyio


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")
async def test_whoever_signs_in_steps_back_behind_everybody_else(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        passwords = open_passwords(load({"data_dir": tmp_path}, {}), stack)

        await passwords.verify(None, "correct horse battery staple")

        threads = [thread for thread in threading.enumerate() if thread.name.startswith("password")]
        own = os.getpriority(os.PRIO_PROCESS, 0)
        nice = {os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) - own for thread in threads}
        assert nice == {5}

import subprocess
import sys

FIRST_USE_BY_MANY = """
import faulthandler, sys, threading
faulthandler.enable()
sys.setswitchinterval(1e-6)
from glimpser.core.templates import TemplateSettings
from glimpser.db.queries import templates

known = hasattr(TemplateSettings, "__msgspec_cache__")
meeting = threading.Barrier(4)

def read():
    meeting.wait()
    for _ in range(50):
        templates._settings({"name": "Door", "kind": "file", "config": {}, "rules": [], "zones": []})

threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("known before" if known else "learned by all at once")
"""


def test_the_form_of_templates_is_known_before_several_threads_read_the_first() -> None:
    told = subprocess.run(
        [sys.executable, "-c", FIRST_USE_BY_MANY], capture_output=True, text=True, timeout=60, check=False
    )

    assert (told.returncode, told.stdout) == (0, "known before\n"), told.stderr

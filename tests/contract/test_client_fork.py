"""A facade that is made, and used, before the process forks: gunicorn, uWSGI, Celery."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.fakes.real_installation import CHECKOUT, RealInstallation

SCRIPT = """
import os
from emanet.client import Emanet

em = Emanet.from_env(organization="menekse", app="panel")


def write():
    return len(em.encrypt(subject="customers/1", values={"customer.email": "a"}))


write()
workers = []
for _ in range(3):
    worker = os.fork()
    if worker == 0:
        os._exit(0 if write() == 1 else 1)
    workers.append(worker)
ended = [os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers]
print(ended, write())
"""


def test_forked_workers_and_their_parent_all_go_on(sdk_installation: RealInstallation) -> None:
    """Every worker writes over a channel of its own; the parent's is untouched."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=CHECKOUT,
        env={**os.environ, **sdk_installation.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "[0, 0, 0] 1\n", done.stderr

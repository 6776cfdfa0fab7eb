"""What must not start: a second process, and a service whose secrets are not its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emanet.cli.workspace import SERVICES
from emanet.core.errors import Reason
from tests.e2e.acting import TICKET, app, support
from tests.e2e.conftest import VALUES
from tests.e2e.installation import Local, Template, free_ports

EMAIL = "customer.email"


def test_a_second_process_on_a_database_is_refused(
    shared: Local, sqlite_template: Template
) -> None:
    """It ends with DATABASE_IN_USE, and the first one does not notice."""
    ports = shared.ports
    shared.ports = free_ports()
    try:
        with ThreadPoolExecutor() as pool:
            ended = list(pool.map(lambda name: shared.command(name, "serve"), SERVICES))
    finally:
        shared.ports = ports
    for each in ended:
        assert each.returncode != 0
        assert Reason.DATABASE_IN_USE.value in each.stderr + each.stdout
    panel = app(shared)
    with panel.reading(purpose="support", staff_token=support(shared), case=TICKET):
        assert panel.decrypt(EMAIL, sqlite_template.sealed[EMAIL]) == VALUES[EMAIL]


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def replaced(path: Path) -> None:
    path.write_bytes(b"another passphrase, long enough, of somebody else"[:48])


FAULTS: dict[str, dict[str, tuple[str, Callable[[Path], None]]]] = {
    "crypto": {
        "wrong passphrase": ("secrets/kek_passphrase", replaced),
        "missing epoch files": ("epochs/*.json", Path.unlink),
        "changed epoch files": ("epochs/*.json", flipped),
    },
    "access_audit": {
        "wrong passphrase": ("secrets/kek_passphrase", replaced),
        "missing log seed": ("secrets/log_seed", Path.unlink),
    },
}


def test_a_service_with_foreign_or_missing_secrets_does_not_start(
    sqlite_copy: Callable[..., Local], sqlite_template: Template, tmp_path: Path
) -> None:
    """A clear error each time, nothing made anew, and with the right files everything is there."""
    local = sqlite_copy()
    with ThreadPoolExecutor() as pool:
        for found in list(pool.map(lambda name: starts(local, name, tmp_path), FAULTS)):
            for what, (code, told, is_unchanged) in found.items():
                assert code != 0, what
                assert Reason.SECRET_UNUSABLE.value in told, what
                assert is_unchanged, what
    local.start()
    panel = app(local)
    with panel.reading(purpose="support", staff_token=support(local), case=TICKET):
        assert panel.decrypt(EMAIL, sqlite_template.sealed[EMAIL]) == VALUES[EMAIL]


def starts(local: Local, service: str, tmp_path: Path) -> dict[str, tuple[int, str, bool]]:
    """For each fault: exit code, what was told, and whether every file is as the fault left it."""
    folder = local.workspace.var / service
    found = {}
    for what, (name, break_it) in FAULTS[service].items():
        kept = tmp_path / f"{service}-{what}"
        shutil.copytree(folder, kept)
        for path in list(folder.glob(name)):
            break_it(path)
        before = secrets_of(folder)
        ended = local.command(service, "serve")
        told = ended.stderr + ended.stdout
        found[f"{service}: {what}"] = (ended.returncode, told, secrets_of(folder) == before)
        shutil.rmtree(folder)
        kept.rename(folder)
    return found


def secrets_of(folder: Path) -> dict[str, bytes]:
    """Secrets and epoch files by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("secrets", "epochs")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }

"""One run of a command: who asks, in which language, and how the answer is shown."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from emanet.cli.arguments import error_name
from emanet.cli.language import Lang
from emanet.cli.problems import CommandError
from emanet.cli.wording import say
from emanet.cli.workspace import Workspace
from emanet.core.errors import EmanetError, Reason

if TYPE_CHECKING:
    # These bring gRPC with them; a command that needs none must not wait for it.
    from emanet.client.admin import Admin
    from emanet.client.channel import Credentials, Endpoints
    from emanet.client.sync import Emanet

__all__ = ["Session"]

_TOKEN_FILE_VARIABLE = "EMANET_TOKEN_FILE"  # noqa: S105 (the name of a variable)
_ENDPOINTS_VARIABLE = "EMANET_ENDPOINTS"
_LANGUAGE_TAGS = {Lang.TR: "tr-TR", Lang.EN: "en"}
_TIMEOUT_S = 10.0
_PATIENCE_S = 5.0
_PAUSE_S = 0.2
_SOON = frozenset({Reason.REGISTER_MISSING, Reason.REGISTER_SKEW, Reason.NOT_READY})
_T = TypeVar("_T")
_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Session:
    """What a command knows of its surroundings.

    Attributes:
        lang: the language of texts.
        as_json: whether the answer is one JSON document.
        organization: slug, empty when none was named.
        token: staff token, empty when none was given.
        app: the application whose certificate is presented.
    """

    lang: Lang
    as_json: bool
    organization: str = ""
    token: str = field(default="", repr=False)
    app: str = "cli"

    @property
    def workspace(self) -> Workspace:
        """The folder of the local installation."""
        return Workspace.from_env()

    def say(self, key: str, **values: object) -> str:
        """A text of the catalogue in the session's language."""
        return say(key, lang=self.lang, **values)

    def print(self, *lines: str) -> None:
        """Prints lines for people; nothing when the answer is JSON."""
        if not self.as_json:
            for line in lines:
                sys.stdout.write(f"{line}\n")

    def warn(self, *lines: str) -> None:
        """Prints lines beside the answer."""
        for line in lines:
            sys.stderr.write(f"{line}\n")

    def answer(self, document: object) -> None:
        """Prints the answer as JSON when that was asked for."""
        if self.as_json:
            text = json.dumps(document, ensure_ascii=False, indent=2)
            sys.stdout.write(f"{text}\n")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Prints a table for people, 80 columns or as wide as the terminal."""
        if self.as_json:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console = Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
        with console.capture() as shown:
            console.print(table)
        self.print(*(line.rstrip() for line in shown.get().splitlines()))

    @contextmanager
    def progress(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar on standard error while it is a terminal.

        Args:
            label: what is going on.

        Yields:
            `advance(done, total)`.
        """
        if not sys.stderr.isatty() or self.as_json:
            yield lambda _done, _total: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def endpoints(self) -> Endpoints:
        """Where the services listen: `EMANET_ENDPOINTS`, else the local installation.

        Raises:
            CommandError: neither is there, or the file is none that `emanet up` writes.
        """
        from emanet.client.channel import Endpoints

        named = os.environ.get(_ENDPOINTS_VARIABLE, "")
        path = Path(named) if named else self.workspace.endpoints
        if not path.exists():
            raise CommandError("no_endpoints", file=path)
        try:
            return Endpoints.from_file(path)
        except EmanetError as cause:
            raise CommandError("bad_endpoints", file=path) from cause

    def admin(self, organization: str = "") -> Admin:
        """The administration client for the named organization.

        Raises:
            CommandError: no organization, no endpoints, or no certificate of the application.
        """
        from emanet.client.admin import Admin

        endpoints = self.endpoints()
        return Admin(
            organization=organization or self.require_organization(),
            endpoints=endpoints,
            credentials=self._credentials(endpoints),
            staff_token=self.staff_token(),
            language=_LANGUAGE_TAGS[self.lang],
        )

    def facade(self) -> Emanet:
        """The client that encrypts and reads; raises like `admin`."""
        from emanet.client.sync import Emanet

        endpoints = self.endpoints()
        return Emanet(
            organization=self.require_organization(),
            endpoints=endpoints,
            credentials=self._credentials(endpoints),
            timeout_s=_TIMEOUT_S,
            language=_LANGUAGE_TAGS[self.lang],
        )

    def patiently(self, act: Callable[[], _T]) -> _T:
        """Does something that services may not be ready for yet: they hear of versions in turn.

        Raises:
            EmanetError: what `act` raised, at the latest after five seconds.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return act()
            except EmanetError as failure:
                if failure.reason not in _SOON or time.monotonic() >= deadline:
                    raise
            time.sleep(_PAUSE_S)

    def require_organization(self) -> str:
        """The organization that was named.

        Raises:
            CommandError: none was.
        """
        if not self.organization:
            raise CommandError("no_organization")
        return self.organization

    def staff_token(self, environ: Mapping[str, str] | None = None) -> str:
        """The token given, else the content of the file that `EMANET_TOKEN_FILE` names, else "".

        Raises:
            CommandError: that file cannot be read.
        """
        variables = os.environ if environ is None else environ
        named = variables.get(_TOKEN_FILE_VARIABLE, "")
        if self.token or not named:
            return self.token.strip()
        file = f"{_TOKEN_FILE_VARIABLE}={named}"
        try:
            return Path(named).read_text(encoding="utf-8").strip()
        except OSError as cause:
            raise CommandError("unread", file=file, why=error_name(cause)) from cause
        except UnicodeDecodeError as cause:
            raise CommandError("unread", file=file, why="UTF-8") from cause

    def _credentials(self, endpoints: Endpoints) -> Credentials:
        from emanet.client.channel import Credentials

        try:
            return Credentials.from_env(self.app, endpoints=endpoints)
        except EmanetError as refused:
            if refused.reason is not Reason.SECRET_UNUSABLE:
                raise
            file = refused.metadata["secret"]
            raise CommandError("no_certificate", app=self.app, file=file) from refused

"""Renders docs/configuration.md from the settings classes, so that page and program agree."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from services.runtime.settings import RuntimeSettings, ServiceSettings

__all__ = ["render_configuration"]

_HEAD = """\
# Configuration

Every server reads its settings once at its start, from the environment. The names of
`EMANET_RUNTIME_*` mean the same for each server; the others belong to one. A name under these
prefixes that is not listed here ends the start with `CONFIG_INVALID`, so that a spelling mistake
is never silent. Secrets are never in the environment: a name that ends in `_FILE` holds a path.
`python -m services.<service> --print-config` shows what a server would use, without secrets.

This page is rendered from the code by `make docs`.
"""

_CLIENTS = """\
## Applications and the command line

| name | read by | meaning |
|---|---|---|
| `EMANET_ENDPOINTS` | both | JSON file: where the services are; `emanet up` writes it. |
| `EMANET_CERTS_DIR` | both | Folder of `ca.pem`, `NAME.pem`, `NAME.key`; else as the JSON says. |
| `EMANET_VAR_DIR` | `emanet` | Folder of the local installation; empty = `./var`. |
| `EMANET_ORGANIZATION` | `emanet` | As `--organization`. |
| `EMANET_APP` | `emanet` | As `--app`: whose certificate is presented; empty = `cli`. |
| `EMANET_TOKEN` | `emanet` | As `--token`: the staff token of the person who acts. |
| `EMANET_TOKEN_FILE` | `emanet` | File that holds the token instead. |
| `NO_COLOR`, `COLUMNS`, `LANG` | `emanet` | As everywhere; a Turkish `LANG` means Turkish texts. |
"""


def render_configuration(services: Sequence[type[ServiceSettings]]) -> str:
    """Returns the page as Markdown: shared settings, those of each service, those of clients."""
    parts = [_HEAD, _section("Every server", RuntimeSettings)]
    parts += [_section(f"`{settings.service}`", settings) for settings in services]
    parts.append(_CLIENTS)
    return "\n".join(parts)


def _section(title: str, settings: type[RuntimeSettings | ServiceSettings]) -> str:
    prefix = settings.model_config["env_prefix"]
    lines = [f"## {title}", "", "| name | default | allowed | meaning |", "|---|---|---|---|"]
    for name, info in settings.model_fields.items():
        if name != "runtime":
            cells = (f"`{prefix}{name.upper()}`", _default(info), _allowed(info), _meaning(info))
            lines.append(f"| {' | '.join(cells)} |")
    if len(lines) == 4:
        lines = [*lines[:2], "No settings of its own."]
    return "\n".join([*lines, ""])


def _default(info: FieldInfo) -> str:
    if info.default is PydanticUndefined:
        return "required"
    value = info.default.value if isinstance(info.default, Enum) else info.default
    return "–" if value in (None, "") else f"`{value}`"


def _allowed(info: FieldInfo) -> str:
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{item.value}`" for item in kind)
    bounds = [_bound(item) for item in info.metadata]
    text = ", ".join(bound for bound in bounds if bound)
    if text:
        return text
    return "path" if kind in (Path, Path | None) else "text"


def _bound(constraint: object) -> str:
    for name, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
        value = getattr(constraint, name, None)
        if value is not None:
            return f"{sign} {value}"
    pattern = getattr(constraint, "pattern", None)
    return "" if pattern is None else "`" + str(pattern).replace("|", "\\|") + "`"


def _meaning(info: FieldInfo) -> str:
    return (info.description or "").replace("|", "\\|")

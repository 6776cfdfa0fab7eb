"""Renders docs/errors.md from the catalogue of reasons, so that page and program agree."""

from __future__ import annotations

from collections.abc import Iterator

from emanet.core.reasons import CATALOGUE, Code

__all__ = ["render_reasons"]

_HEAD = """# Errors

Every error is one `google.rpc.Status` with `ErrorInfo` (reason, domain `<service>.emanet`, \
metadata), where useful `BadRequest` and `RetryInfo`, and a `LocalizedMessage` for people: Turkish \
unless the call's `accept-language` says `en`. In Python it is an `EmanetError` with `reason`, \
`message_tr`, `message_en`, `next_step_tr`, `next_step_en`. Messages and metadata hold no personal \
data; `{name}` is filled from the metadata. New reasons may appear.

Whatever is wrong inside an envelope (version, key, field, row, tampering) is the one \
`ENVELOPE_INVALID`: it tells an attacker nothing.
"""


def render_reasons() -> str:
    """The whole page, one table a status code, in the order of the catalogue."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for code in Code:
        rows = [(reason, text) for reason, text in CATALOGUE.items() if text.code is code]
        if not rows:
            continue
        yield f"## {code.name}\n"
        yield "| reason | what it says | what to do |"
        yield "|---|---|---|"
        for reason, text in rows:
            yield (
                f"| `{reason.value}` | {_cell(text.en)}<br>*{_cell(text.tr)}* "
                f"| {_cell(text.next_en)}<br>*{_cell(text.next_tr)}* |"
            )
        yield ""


def _cell(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}").replace("|", "\\|")

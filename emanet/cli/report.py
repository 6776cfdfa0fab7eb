"""Errors on the command line: what is wrong, where, what to do next, and the exit status."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from emanet.cli.language import Lang
from emanet.cli.problems import CommandError
from emanet.cli.wording import WORDS, say
from emanet.core.errors import Code, EmanetError, Reason

__all__ = ["report_error", "report_problem", "report_unexpected", "report_usage", "status_of"]

_ENVIRONMENT_CODES = frozenset({Code.UNAUTHENTICATED, Code.UNAVAILABLE, Code.INTERNAL})
_ENVIRONMENT = frozenset(
    {
        Reason.CONFIG_INVALID,
        Reason.SECRET_UNUSABLE,
        Reason.MODE_MISMATCH,
        Reason.DATABASE_IN_USE,
        Reason.ORGANIZATION_MISSING,
        Reason.PRINCIPAL_UNKNOWN,
        Reason.ORGANIZATION_NOT_ALLOWED,
        Reason.FRESH_LOGIN_REQUIRED,
        Reason.OVERLOADED,
        Reason.DEADLINE_EXCEEDED,
    }
)
_USAGE = frozenset({Reason.INVALID_FIELD, Reason.INVALID_NAME, Reason.REQUIRED_FIELD_MISSING})

_PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "NoSuchOption": "usage.option",
        "NoSuchCommand": "usage.command",
        "MissingParameter": "usage.missing",
        "BadParameter": "usage.bad",
    }
)


def status_of(failure: EmanetError) -> int:
    """2 when the command line or the surroundings are at fault, 1 when the answer is no."""
    is_ours = failure.reason in _ENVIRONMENT | _USAGE or failure.code in _ENVIRONMENT_CODES
    return 2 if is_ours else 1


def report_error(failure: EmanetError, *, lang: Lang, as_json: bool) -> int:
    """Prints an error and returns the exit status.

    With JSON it is the answer, on standard output; else text on standard error.
    """
    is_turkish = lang is Lang.TR
    message = failure.message_tr if is_turkish else failure.message_en
    next_step = failure.next_step_tr if is_turkish else failure.next_step_en
    if as_json:
        _answer(
            failure.reason.value,
            message,
            next_step,
            metadata=failure.metadata,
            violations=failure.violations,
        )
        return status_of(failure)
    lines = [
        f"  {field}: {problem}" if field else f"  {problem}"
        for field, problem in failure.violations
    ]
    _tell(message, *lines, next_step=next_step, lang=lang)
    return status_of(failure)


def report_problem(problem: CommandError, *, lang: Lang, as_json: bool) -> int:
    """Prints what the command line itself found and returns the exit status."""
    values = {name: _worded(name, value, lang=lang) for name, value in problem.values.items()}
    message = say(f"problem.{problem.name}", lang=lang, **values)
    next_step = say(f"problem.{problem.name}.next", lang=lang, **values)
    if as_json:
        metadata = {name: str(value) for name, value in problem.values.items()}
        _answer(problem.name.upper(), message, next_step, metadata=metadata)
    else:
        _tell(message, next_step=next_step, lang=lang)
    return problem.status


def report_unexpected(failure: Exception, *, lang: Lang, as_json: bool) -> int:
    """Prints where an error came from that nobody foresaw; its text may hold a value (P7)."""
    innermost = traceback.extract_tb(failure.__traceback__)[-1]
    place = f"{innermost.filename}:{innermost.lineno}"
    problem = CommandError("unexpected", kind=type(failure).__name__, place=place)
    return report_problem(problem, lang=lang, as_json=as_json)


def report_usage(failure: Exception, *, lang: Lang, as_json: bool) -> int:
    """Prints what is wrong with the command line itself; always 2."""
    context = getattr(failure, "ctx", None)
    path = context.command_path if context is not None else "emanet"
    kind = type(failure).__name__
    if kind == "NoArgsIsHelpError":
        sys.stderr.write(f"{context.get_help() if context is not None else ''}\n")
        return 2
    told = getattr(failure, "format_message", lambda: str(failure))().replace("Value error, ", "")
    message = _usage_text(failure, told, lang=lang)
    next_step = say("usage.help", lang=lang, path=path)
    if as_json:
        _answer("USAGE", message, next_step)
    else:
        _tell(message, next_step=next_step, lang=lang)
    return 2


def _answer(
    reason: str,
    message: str,
    next_step: str,
    *,
    metadata: Mapping[str, str] = MappingProxyType({}),
    violations: Sequence[tuple[str, str]] = (),
) -> None:
    document = {
        "error": {
            "reason": reason,
            "message": message,
            "next_step": next_step,
            "metadata": dict(metadata),
            "violations": [list(each) for each in violations],
        }
    }
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _tell(message: str, *lines: str, next_step: str, lang: Lang) -> None:
    told = (f"{say('error', lang=lang)}: {message}", *lines, f"  → {next_step}")
    sys.stderr.write("\n".join(told) + "\n")


def _worded(name: str, value: object, *, lang: Lang) -> object:
    """The reason of an operating system in words, where there are some; else the value."""
    key = f"why.{value}"
    return say(key, lang=lang) if name == "why" and key in WORDS else value


def _usage_text(failure: Exception, told: str, *, lang: Lang) -> str:
    """The framework's own English words, or ours in Turkish with the name at fault."""
    key = _PROBLEMS.get(type(failure).__name__)
    if lang is Lang.EN or key is None:
        return told
    parameter = getattr(failure, "param", None)
    named = getattr(failure, "option_name", "") or getattr(failure, "param_hint", "")
    if not named and parameter is not None:
        named = next(iter(getattr(parameter, "opts", ())), parameter.name)
    return say(key, lang=lang, name=named or told)

"""The `emanet` command: reads the command line, runs one command, answers with an exit status.

Exit status: 0 done or so, 1 the thing asked about is not so, 2 usage or environment.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import typer

from emanet import __version__
from emanet.cli import (
    commands_audit,
    commands_crypto,
    commands_destruction,
    commands_dev,
    commands_inventory,
    commands_rules,
    commands_status,
    commands_up,
    commands_verify,
    commands_versions,
)
from emanet.cli.binding import Group, add_commands, group_class
from emanet.cli.language import Lang, language_of
from emanet.cli.problems import CommandError
from emanet.cli.report import report_error, report_problem, report_unexpected, report_usage
from emanet.cli.wording_help import help_of
from emanet.core.errors import EmanetError

__all__ = ["GROUPS", "build_app", "main"]

GROUPS = (
    Group("", (*commands_up.COMMANDS, *commands_status.COMMANDS)),
    Group("dev", commands_dev.COMMANDS),
    Group("inventory", (*commands_inventory.COMMANDS, *commands_versions.COMMANDS)),
    Group("rules", commands_rules.COMMANDS),
    Group("cases", commands_audit.CASE_COMMANDS),
    Group("audit", commands_audit.COMMANDS),
    Group("crypto", commands_crypto.COMMANDS),
    Group("destruction", commands_destruction.COMMANDS),
    Group("verify", commands_verify.COMMANDS),
)

# The framework does not export the base of its usage errors; every version has it there.
_UsageProblem = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "UsageError")


def build_app(lang: Lang) -> typer.Typer:
    """The whole command line with help texts in one language."""
    app = typer.Typer(
        name="emanet",
        cls=group_class(lang),
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )

    # Defaults instead of annotations: those are texts here and could not see `lang`.
    @app.callback(help=help_of("", lang=lang))
    def root(
        version: bool = typer.Option(
            False,
            "--version",
            callback=_show_version,
            is_eager=True,
            help=help_of("version", lang=lang),
        ),
        spoken: Lang = typer.Option(
            lang, "--lang", show_default=False, help=help_of("lang", lang=lang)
        ),
    ) -> None:
        """Nothing is left to do: both options have had their effect."""

    add_commands(app, GROUPS, lang=lang)
    return app


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"emanet {__version__}")
        raise typer.Exit(0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status; the entry point of the wheel's script."""
    _write_utf8()
    given = list(sys.argv[1:] if arguments is None else arguments)
    lang = language_of(given, os.environ)
    try:
        command = typer.main.get_command(build_app(lang))
        status = command.main(args=given, prog_name="emanet", standalone_mode=False)
    except EmanetError as failure:
        return report_error(failure, lang=lang, as_json="--json" in given)
    except CommandError as problem:
        return report_problem(problem, lang=lang, as_json="--json" in given)
    except typer.Abort:
        return 2
    except BrokenPipeError:
        # The reader went away (`emanet … | head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except Exception as failure:  # noqa: BLE001 (the process edge: told and turned into a status)
        if isinstance(failure, _UsageProblem):
            return report_usage(failure, lang=lang, as_json="--json" in given)
        return report_unexpected(failure, lang=lang, as_json="--json" in given)
    return status if isinstance(status, int) else 0


def _write_utf8() -> None:
    """Turkish text and JSON come out whole, whatever the locale says of terminals and files."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")

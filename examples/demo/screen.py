"""Draws the one screen from the summary of a run; a pure function, whatever the language."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from examples.demo.texts import DATA, FACTS, LINES, STEPS, TITLES, number, text

__all__ = ["WIDTH", "render", "step_line"]

WIDTH = 118
_STEP_WIDTH = 96
_CAME_AT = 65
_ATTEMPT_WIDTH = 107
_DOT = " · "
_EXAMPLES = ("hosting", "chat-bot")
_MONTHS = (
    ("Ocak", "Jan"), ("Şubat", "Feb"), ("Mart", "Mar"), ("Nisan", "Apr"), ("Mayıs", "May"),
    ("Haziran", "Jun"), ("Temmuz", "Jul"), ("Ağustos", "Aug"), ("Eylül", "Sep"), ("Ekim", "Oct"),
    ("Kasım", "Nov"), ("Aralık", "Dec"),
)  # fmt: skip


def step_line(position: int, key: str, *, lang: str, **values: int) -> str:
    """The line of a step up to its dots; `done …` follows."""
    shown = {name: number(value, lang) for name, value in values.items()}
    words = f" {position} {text(STEPS[key], lang).format(**shown)} "
    return words.ljust(_STEP_WIDTH, ".") + " "


def render(summary: Mapping[str, Any], *, lang: str) -> str:
    """The screen below the steps, at most 118 columns.

    Args:
        summary: as `summary.json` holds it.
        lang: `tr` or `en`.
    """
    blocks = [
        list(_inventories(summary, lang)),
        list(_day(summary, lang)),
        list(_attempts(summary, lang)),
        list(_files(summary, lang)),
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks) + "\n"


def _inventories(summary: Mapping[str, Any], lang: str) -> Iterator[str]:
    names = ("inventory", "fields", "rows", "published", "repaired", "approved", "sheet")
    yield _inventory_row([text(TITLES[name], lang) for name in names])
    for item in summary["inventories"]:
        errors = text(TITLES["errors"], lang)
        warnings = text(TITLES["warnings"], lang).format(n=item["published_warnings"])
        sheet = (
            text(TITLES["exempt"], lang).format(ground=item["exempt"].removeprefix("Kurul "))
            if item["exempt"]
            else text(TITLES["categories"], lang).format(n=item["categories"])
        )
        yield _inventory_row(
            [
                item["folder"],
                str(item["fields"]),
                str(item["rows"]),
                f"{errors.format(n=item['published_errors']):<11}{warnings}",
                errors.format(n=item["repaired_errors"]),
                f"{item['author']} · {item['approver']}",
                sheet,
            ]
        )
    for item in summary["inventories"]:
        if item["folder"] in _EXAMPLES:
            yield from _example(item, lang)


def _inventory_row(cells: Sequence[str]) -> str:
    name, fields, rows, published, repaired, approved, sheet = cells
    return f" {name:<18}{fields:>8}{rows:>6}   {published:<27}{repaired:<12}{approved:<16}{sheet}"


def _example(item: Mapping[str, Any], lang: str) -> Iterator[str]:
    found = item["example"]
    severity = text(TITLES[found["severity"]], lang)
    head = f"   {text(TITLES['example'], lang)} {item['folder']:<8} {found['rule']} {severity}  "
    said = f"{found['place']}  {found[lang]} ({found['article']})"
    yield from textwrap.wrap(head + said, WIDTH, subsequent_indent=" " * 31, break_on_hyphens=False)


def _day(summary: Mapping[str, Any], lang: str) -> Iterator[str]:
    day = summary["day"]
    shown = {
        name: number(day[name], lang)
        for name in ("reads", "allowed", "waiting", "denied", "unrecorded")
    }
    shown["rest"] = text(TITLES["day_rest"], lang).format(**shown)
    yield f" {text(TITLES['day'], lang)}  {text(TITLES['day_sum'], lang).format(**shown)}"
    names = ("time", "who", "wanted", "purpose", "answer", "because")
    yield _day_row([text(TITLES[name], lang) for name in names])
    for line in day["lines"]:
        yield _day_row(_day_cells(line, lang))


def _day_cells(line: Mapping[str, Any], lang: str) -> list[str]:
    wanted, because, board = LINES[line["note"]]
    shown = {
        **line,
        "count": number(line["count"], lang),
        "limit": number(line["limit"], lang),
        "rule": line["rules"][0] if line["rules"] else "",
    }
    answer = "review" if line["waiting"] else "allowed" if line["allowed"] else "denied"
    reason = text(because, lang).format(**shown)
    if board:
        reason += f"  [{text(TITLES['board'], lang).format(n=board)}]"
    return [
        f"{line['minute'] // 60:02d}:{line['minute'] % 60:02d}",
        f"{line['person']} {line['role']}",
        text(wanted, lang).format(**shown),
        line["purpose"],
        text(TITLES[answer], lang),
        reason,
    ]


def _day_row(cells: Sequence[str]) -> str:
    time, who, wanted, purpose, answer, because = cells
    return f"  {time:<6}{who:<14}{wanted:<30}{purpose:<10}{answer:<9}{because}"


def _attempts(summary: Mapping[str, Any], lang: str) -> Iterator[str]:
    title, promise = text(TITLES["broken"], lang), text(TITLES["promise"], lang)
    yield f" {title:<{_ATTEMPT_WIDTH - 1}}{promise:<5}{text(TITLES['held'], lang)}"
    for attempt in summary["attempts"]:
        yield from _attempt(attempt, lang)


def _attempt(attempt: Mapping[str, Any], lang: str) -> Iterator[str]:
    shown = {
        name: number(value, lang) if isinstance(value, int) else value
        for name, value in attempt["facts"].items()
    }
    if "until" in shown:
        shown["until"] = _day_in_full(shown["until"])
        shown["law"] = _short_law(shown["article"])
    tried, came = (text(both, lang).format(**shown) for both in FACTS[attempt["promise"]])
    first, *others = came.split("\n")
    held = text(TITLES["yes" if attempt["held"] else "no"], lang)
    left = f"  {tried} ".ljust(_CAME_AT - 1, ".") + f" {first}"
    lines = [left, *(" " * _CAME_AT + other for other in others)]
    yield from lines[:-1]
    yield f"{lines[-1]:<{_ATTEMPT_WIDTH}}{attempt['promise']:<5}{held}"
    for problem in attempt["problems"]:
        yield f"      ! {problem}"


def _files(summary: Mapping[str, Any], lang: str) -> Iterator[str]:
    written = {files["folder"]: files for files in summary["files"]}["hosting"]
    shown = {
        "var": summary["folder"],
        "name": "hosting",
        "file": "examples/app/panel.py",
        "deadline": _short_day(written["deadline"], lang),
        "leaves": number(written["leaves"], lang),
        "fields": number(summary["speed"]["fields"], lang),
        "encrypt": number(summary["speed"]["encrypt_ms"], lang, digits=1),
        "decrypt": number(summary["speed"]["decrypt_ms"], lang, digits=1),
    }
    for key in ("dpo_files", "notice", "verify"):
        shown[key] = text(DATA[key], lang).format(**shown)
    for key in ("dpo", "analyst", "developer"):
        words = text(DATA[f"{key}_line"], lang).format(**shown)
        yield from _labelled(text(DATA[key], lang), words, wraps=key != "analyst")
    if summary["running"]:
        yield from _labelled(text(DATA["next"], lang), text(DATA["next_note"], lang))
        yield from (f"   {command}" for command in summary["next"])
    yield f" {_end(summary, lang)}"


def _labelled(label: str, words: str, *, wraps: bool = True) -> Iterator[str]:
    """A label and its words, broken at dots; a command to copy stays in one line."""
    indent = " " * 20
    lines = [""]
    for part in words.split(_DOT) if wraps else [words]:
        longer = f"{lines[-1]}{_DOT}{part}" if lines[-1] else part
        if lines[-1] and len(indent) + len(longer) > WIDTH:
            lines.append(part)
        else:
            lines[-1] = longer
    yield f" {label:<19}{lines[0]}"
    yield from (indent + line for line in lines[1:])


def _end(summary: Mapping[str, Any], lang: str) -> str:
    count = len(summary["attempts"])
    broken = sum(not attempt["held"] for attempt in summary["attempts"])
    said = text(DATA["end_broken" if broken else "end_held"], lang)
    return " · ".join(
        [
            text(DATA["seconds"], lang).format(n=round(summary["seconds"])),
            said.format(n=count, broken=broken),
            text(DATA["running" if summary["running"] else "stopped"], lang),
            text(DATA["exit"], lang).format(status=1 if broken else 0),
        ]
    )


def _day_in_full(iso: str) -> str:
    year, month, day = iso.split("-")
    return f"{day}.{month}.{year}"


def _short_law(citation: str) -> str:
    """`6102 (TTK) m.82/5-6` as people say it: `TTK 82`."""
    found = re.search(r"\((\w+)\) m\.(\d+)", citation)
    return f"{found[1]} {found[2]}" if found else citation


def _short_day(iso: str, lang: str) -> str:
    if not iso:
        return "-"
    _, month, day = iso.split("-")
    return f"{int(day)} {text(_MONTHS[int(month) - 1], lang)}"

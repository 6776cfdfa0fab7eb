"""Lint rules on purposes, activities, notices and on names that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from emanet.core.strict_yaml import hints
from emanet.register.findings import Severity
from emanet.register.lint_rules_basis import MARKETING
from emanet.register.lint_rules_scope import Problem, Rule, Scope
from emanet.register.values import BUILT_IN_SYSTEM, Role

__all__ = ["RULES"]

_FROM_ANOTHER_ACTIVITY = "diger_faaliyet"
# The closest name is looked for by comparing with every one; in large sections that would take
# longer than all rules together.
_MOST_TO_COMPARE = 200


def _purpose_not_mapped(scope: Scope) -> Iterator[Problem]:
    told = {slug for ref in scope.controller_rows for slug in ref.row.purposes}
    only_for_others = scope.purposes_in_use - told  # VERBİS is told of no processor's rows
    for slug, purpose in scope.register.purposes.items():
        if purpose.verbis is None and slug not in only_for_others:
            yield Problem(
                f"purposes/{slug}",
                f"'{slug}' amacının VERBİS karşılığı yok ('verbis')",
                f"purpose '{slug}' has no VERBİS purpose ('verbis')",
            )


def _purpose_unused(scope: Scope) -> Iterator[Problem]:
    for slug in scope.register.purposes:
        if slug not in scope.purposes_in_use:
            yield Problem(
                f"purposes/{slug}",
                f"'{slug}' amacını hiçbir satır kullanmıyor",
                f"no row uses purpose '{slug}'",
            )


def _opt_out_missing(scope: Scope) -> Iterator[Problem]:
    for slug, purpose in scope.register.purposes.items():
        used = slug in scope.purposes_in_use
        if used and purpose.verbis in MARKETING and not purpose.opt_out:
            yield Problem(
                f"purposes/{slug}",
                f"'{slug}' tanıtım amacı; ret yolu ('opt_out') yazılmamış",
                f"'{slug}' is marketing and has no way to refuse ('opt_out')",
            )


def _dangling(scope: Scope) -> Iterator[Problem]:
    register = scope.register
    for ref in register.rows:
        row = ref.row
        yield from _unknown(row.fields, register.fields, f"{ref.path}/fields", "fields")
        yield from _unknown(row.purposes, register.purposes, f"{ref.path}/purposes", "purposes")
        yield from _unknown(row.to, register.recipients, f"{ref.path}/to", "recipients")
        if isinstance(row.keep, str):
            yield from _unknown([row.keep], register.retention, f"{ref.path}/keep", "retention")
    for slug, recipient in register.recipients.items():
        yield from _unknown(
            recipient.may_use_for,
            register.purposes,
            f"recipients/{slug}/may_use_for",
            "purposes",
        )


def _dangling_places(scope: Scope) -> Iterator[Problem]:
    register = scope.register
    for slug, field in register.fields.items():
        systems = [place.system for place in field.locations if place.system != BUILT_IN_SYSTEM]
        yield from _unknown(systems, register.systems, f"fields/{slug}/in", "systems")
    for slug, activity in register.activities.items():
        path = f"activities/{slug}"
        if activity.notice is not None:
            yield from _unknown([activity.notice], register.notices, f"{path}/notice", "notices")
        collected = activity.collected
        if collected is not None and collected.source == _FROM_ANOTHER_ACTIVITY:
            other = [collected.by or ""]
            yield from _unknown(other, register.activities, f"{path}/collected", "activities")


def _unknown(
    names: Iterable[str], known: Mapping[str, object], path: str, section: str
) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            hint, hint_tr = hints(name, known if len(known) <= _MOST_TO_COMPARE else ())
            yield Problem(
                path,
                f"'{name}' adı {section} bölümünde yok{hint_tr}",
                f"'{name}' is not in section {section}{hint}",
            )


def _row_without_purpose(scope: Scope) -> Iterator[Problem]:
    for ref in scope.register.rows:
        if not ref.row.purposes:
            yield Problem(
                ref.path,
                "satırın işleme amacı yok",
                "the row has no purpose",
            )


def _subjects_missing(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        open_rows = [row for row in activity.rows if not row.subjects]
        if not activity.subjects and (open_rows or not activity.rows):
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' kimin verisini işliyor? Kişi grubu ('subjects') yazılmamış",
                f"whose data is in '{slug}'? No group of data subjects ('subjects')",
            )


def _role_missing(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        if activity.role is None:
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' için rol yazılmamış: veri sorumlusu mu (controller), veri işleyen mi "
                "(processor)?",
                f"the role in '{slug}' is not stated: controller or processor?",
            )


def _principal_missing(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        if activity.role is Role.PROCESSOR and not activity.on_behalf_of:
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' veri işleyen olarak yürütülüyor; kimin adına olduğu ('on_behalf_of') "
                "yazılmamış",
                f"'{slug}' is done as a processor; on whose behalf ('on_behalf_of') is not stated",
            )


def _notice_missing(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        if activity.role is not Role.PROCESSOR and activity.notice is None:
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' için aydınlatma metni gösterilmemiş ('notice')",
                f"no privacy notice covers '{slug}' ('notice')",
            )


def _notice_late(scope: Scope) -> Iterator[Problem]:
    for slug, notice in scope.register.notices.items():
        ahead = notice.days_ahead or 0
        if notice.effective is None or (notice.published is None and not ahead):
            continue
        latest = notice.effective - timedelta(days=ahead)
        if notice.published is None or notice.published > latest:
            yield Problem(
                f"notices/{slug}",
                f"'{slug}' metni {notice.effective:%d.%m.%Y} günü yürürlüğe giriyor ve {ahead} gün "
                f"önce duyurulacağı söylenmiş; en geç {latest:%d.%m.%Y} günü yayımlanmalıydı",
                f"notice '{slug}' takes effect on {notice.effective} and promises {ahead} days "
                f"ahead; it had to be published by {latest}",
            )


def _review_overdue(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        if activity.review_by is None:
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' için gözden geçirme günü ('review_by') yazılmamış",
                f"'{slug}' has no date of review ('review_by')",
            )
        elif activity.review_by < scope.today:
            yield Problem(
                f"activities/{slug}/review_by",
                f"'{slug}' {activity.review_by:%d.%m.%Y} gününe kadar gözden geçirilecekti",
                f"'{slug}' was to be reviewed by {activity.review_by}",
            )


def _source_missing(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        collected = activity.collected
        if activity.role is not Role.PROCESSOR and (collected is None or collected.source is None):
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' verisinin kimden ve nasıl toplandığı ('collected') yazılmamış",
                f"from whom and how the data of '{slug}' is collected ('collected') is not stated",
            )


def _owner_missing(scope: Scope) -> Iterator[Problem]:
    for slug, activity in scope.register.activities.items():
        if not activity.department or not activity.owner:
            yield Problem(
                f"activities/{slug}",
                f"'{slug}' faaliyetinin departmanı ve sorumlusu yazılmamış",
                f"department and owner of '{slug}' are not stated",
            )


RULES = (
    Rule(
        "INV013",
        Severity.ERROR,
        "Sicil Yön. 9/1-b",
        "Her amacın VERBİS karşılığı vardır.",
        "Every purpose is mapped to VERBİS.",
        _purpose_not_mapped,
    ),
    Rule(
        "INV014",
        Severity.WARNING,
        "KVKK 4/2-c",
        "Her amacı en az bir satır kullanır.",
        "Every purpose is used by a row.",
        _purpose_unused,
    ),
    Rule(
        "INV015",
        Severity.ERROR,
        "6563 m.8",
        "Tanıtım amacının ret yolu vardır.",
        "A marketing purpose has a way to refuse.",
        _opt_out_missing,
    ),
    Rule(
        "INV044",
        Severity.ERROR,
        "Sicil Yön. 4/1-h",
        "Satırlar ve alıcılar var olan alan, amaç, alıcı ve süreleri gösterir.",
        "Rows and recipients name fields, purposes, recipients and periods that exist.",
        _dangling,
    ),
    Rule(
        "INV045",
        Severity.ERROR,
        "Sicil Yön. 4/1-h",
        "Alanlar ve faaliyetler var olan ortam, metin ve faaliyetleri gösterir.",
        "Fields and activities name media, notices and activities that exist.",
        _dangling_places,
    ),
    Rule(
        "INV046",
        Severity.ERROR,
        "Sicil Yön. 9/1-c",
        "Her faaliyetin kişi grubu vardır.",
        "Every activity has groups of data subjects.",
        _subjects_missing,
    ),
    Rule(
        "INV047",
        Severity.ERROR,
        "KVKK 3/1-ğ, 3/1-ı",
        "Her faaliyette rol bellidir: veri sorumlusu ya da veri işleyen.",
        "Every activity states the role: controller or processor.",
        _role_missing,
    ),
    Rule(
        "INV048",
        Severity.ERROR,
        "KVKK 3/1-ğ, 12/2",
        "Veri işleyen kimin adına işlediğini yazar.",
        "A processor states on whose behalf it acts.",
        _principal_missing,
    ),
    Rule(
        "INV049",
        Severity.ERROR,
        "KVKK 10",
        "Veri sorumlusunun her faaliyeti bir aydınlatma metnine bağlıdır.",
        "Every controller activity has a privacy notice.",
        _notice_missing,
    ),
    Rule(
        "INV050",
        Severity.ERROR,
        "KVKK 10; Aydınlatma Tebliği 5",
        "Aydınlatma metni söz verilen gün kadar önce yayımlanır.",
        "A notice is published as many days ahead as it promises.",
        _notice_late,
    ),
    Rule(
        "INV051",
        Severity.WARNING,
        "Sicil Yön. 5/1-ç; KVKK 4/2-b",
        "Faaliyetler gününde gözden geçirilir.",
        "Activities are reviewed in time.",
        _review_overdue,
    ),
    Rule(
        "INV052",
        Severity.WARNING,
        "KVKK 10/1-ç",
        "Verinin kimden ve nasıl toplandığı bellidir.",
        "It is stated from whom and how data is collected.",
        _source_missing,
    ),
    Rule(
        "INV053",
        Severity.WARNING,
        "Sicil Yön. 4/1-h; Silme Yön. 6",
        "Her faaliyetin departmanı ve sorumlusu vardır.",
        "Every activity has a department and an owner.",
        _owner_missing,
    ),
    Rule(
        "INV054",
        Severity.ERROR,
        "KVKK 4/2-c",
        "Her satırın işleme amacı vardır.",
        "Every row has a purpose.",
        _row_without_purpose,
    ),
)

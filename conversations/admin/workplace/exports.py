"""The exports of a company: to make one, to take it away, to go on where it broke off, to check it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, pgettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from conversations import access, reviewing
from conversations.admin.workplace import doors
from conversations.exports import downloads
from conversations.exports import manifest as manifests
from conversations.exports.delivery import Delivery, Resume, resumed
from conversations.exports.formats import FORMATS
from conversations.exports.making import make, unreadable
from conversations.finding import Filters
from conversations.models import Export, Grade, Persona
from conversations.posting import Refused
from conversations.reading import Sitting

PAGE_SIZE = 50
RATINGS = [
    ("good", gettext_noop("Good answer")),
    ("bad", gettext_noop("Bad answer")),
    ("none", gettext_noop("Not rated")),
]
DAYS = [("since", pgettext_lazy("date", "From")), ("until", pgettext_lazy("date", "To"))]
OFFERED = ("persona", "rating", "verdict", "label", "since", "until")
Kind = Export.Kind

_MEANINGS = {
    Kind.CSV: gettext_noop("One row for each answer, for spreadsheets. Nothing in it runs as a formula."),
    Kind.CONVERSATIONS: gettext_noop("Every branch, how each answer was made, and what was said of it."),
    Kind.EXAMPLES: gettext_noop(
        "Answers that reviewers found good or put right, in the chat format of Mistral’s fine-tuning."
    ),
    Kind.PAIRS: gettext_noop(
        "Of two answers to one question the better and the worse, as reviewers judged them."
    ),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A select of the form. What the address asks for and is not offered stands there as unknown, and is sent so."""

    name: str
    label: str
    options: list[tuple[str, str]]
    chosen: str

    @property
    def unknown(self) -> bool:
        return bool(self.chosen) and self.chosen not in dict(self.options)


@require_http_methods(["GET", "HEAD", "POST"])
@doors.reading
def listed(request: HttpRequest, sitting: Sitting) -> HttpResponse:
    """The form for a new export, behind it those that were made, newest first. A POST makes one."""
    company = sitting.company
    manages = access.managed_companies(request.user).filter(pk=company.pk).exists()
    if request.method == "POST":
        return _make(request, sitting, manages=manages)
    filters, asked = Filters.of(request.GET.dict()), _asked(request)
    found = access.exports(request.user, company).order_by("-created_at", "-pk")
    page = _number(request.GET.get("page", ""))
    rows = list(found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE + 1])
    kinds = [kind for kind in Kind if manages or kind not in Export.TUNING]
    names = _names(sitting)
    further = {name: value for name, value in asked.items() if name not in OFFERED}
    context = {
        "title": _("Exports"),
        "here": "exports",
        "kinds": [(kind.value, kind.label, _(_MEANINGS[kind])) for kind in kinds],
        "choices": _choices(names, asked),
        "days": [(name, label, asked.get(name, ""), name in filters.unknown) for name, label in DAYS],
        "further": further,
        "further_said": ", ".join(f"{_filter(name)} {value}" for name, value in further.items()),
        "unreadable": unreadable(filters),
        "exports": [(row, _in_words(names, row)) for row in rows[:PAGE_SIZE]],
        "page": page,
        "next": page + 1 if len(rows) > PAGE_SIZE else None,
    }
    return doors.page(request, "exports.html", company, context)


@require_GET
@doors.reading
def data(request: HttpRequest, sitting: Sitting, export_id: uuid.UUID) -> StreamingHttpResponse:
    """An export as a file, from its beginning or behind what the person has."""
    export = access.export(request.user, sitting.company, export_id)
    resume = resumed(export, after=request.GET.get("after", ""), lines=request.GET.get("lines", ""))
    layout = FORMATS[export.kind]
    part = "-rest" if resume != Resume() else ""
    stream = Delivery(sitting, export, resume).stream()
    return _file(
        sitting.reader, stream, layout.content_type, f"{_file_name(export)}{part}.{layout.extension}"
    )


@require_GET
@doors.reading
def manifest(request: HttpRequest, sitting: Sitting, export_id: uuid.UUID) -> StreamingHttpResponse:
    """What an export is, with its checksum as it would come out now."""
    export = access.export(request.user, sitting.company, export_id)
    return _file(
        sitting.reader, manifests.stream(export), "application/json", f"{_file_name(export)}-manifest.json"
    )


def _make(request: HttpRequest, sitting: Sitting, *, manages: bool) -> HttpResponse:
    kind = request.POST.get("kind", "")
    if kind not in Kind.values:
        raise Refused(_("Choose what to export."), status=400)
    if kind in Export.TUNING and not manages:
        raise Refused(
            _("Tuning data holds what the personas are told. Only the company’s managers can export it."),
            status=403,
        )
    export = make(sitting, Kind(kind), Filters.of(request.POST.dict()))
    if export.searches:
        messages.success(
            request,
            _("The export is made. Download it below: how many answers fit comes with the delivery."),
        )
    elif export.answers:
        messages.success(request, _("The export is made. Download it below."))
    else:
        messages.warning(request, _("The export is made, but no answer fits it."))
    return redirect("admin:review_exports", sitting.company.pk)


def _file(reader: User, stream: AsyncIterator[bytes], content_type: str, name: str) -> StreamingHttpResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Accel-Buffering": "no",  # a proxy that gathers the whole first would let the browser wait
    }
    handing = downloads.begin(reader, stream)
    return StreamingHttpResponse(handing, content_type=content_type, headers=headers)


def _file_name(export: Export) -> str:
    """Letters, digits and hyphens only."""
    made = timezone.localtime(export.created_at)
    company = slugify(export.company.name)[:40] or "company"
    return f"{company}-{export.kind}-{made:%Y-%m-%d}-{str(export.pk)[:8]}"


def _names(sitting: Sitting) -> dict[str, dict[str, str]]:
    """By filter, what can be chosen: the company's own personas, grades and labels."""
    company = sitting.company
    personas = Persona.objects.filter(company=company).order_by("name")
    labels = reviewing.known_labels(company, sitting.reader).order_by("name")
    grades = Grade.objects.filter(rubric__company=company).order_by("-rubric__in_use", "rubric", "position")
    return {
        "persona": {str(pk): name for pk, name in personas.values_list("pk", "name")},
        "rating": {value: _(label) for value, label in RATINGS},
        "verdict": {
            str(grade.pk): grade.name if grade.rubric.in_use else f"{grade.name} ({grade.rubric})"
            for grade in grades.select_related("rubric")
        },
        "label": {str(pk): name for pk, name in labels.values_list("pk", "name")},
    }


def _asked(request: HttpRequest) -> dict[str, str]:
    """The filters of the address, as they stand there: also those that cannot be read, so that none is forgotten."""
    given = {name: request.GET.get(name, "").strip() for name in Filters.names()}
    return {name: value for name, value in given.items() if value}


def _choices(names: dict[str, dict[str, str]], asked: dict[str, str]) -> list[Choice]:
    labels = {"persona": _("Persona"), "rating": _("Rating"), "verdict": _("Grade"), "label": _("Label")}
    return [
        Choice(name, label, list(names[name].items()), asked.get(name, "")) for name, label in labels.items()
    ]


def _in_words(names: dict[str, dict[str, str]], export: Export) -> str:
    """What an export was filtered for, as people read it."""
    return ", ".join(
        _("%(filter)s: %(value)s") % {"filter": _filter(name), "value": names.get(name, {}).get(value, value)}
        for name, value in export.filters.items()
    )


def _filter(name: str) -> str:
    """What a filter is called within a sentence."""
    called = {
        "persona": pgettext("filter", "persona"),
        "version": pgettext("filter", "version"),
        "model": pgettext("filter", "model"),
        "rating": pgettext("filter", "rating"),
        "verdict": pgettext("filter", "verdict"),
        "label": pgettext("filter", "label"),
        "rule": pgettext("filter", "rule"),
        "finish": pgettext("filter", "finish"),
        "error": pgettext("filter", "error"),
        "text": pgettext("filter", "text"),
        "since": pgettext("filter", "from"),
        "until": pgettext("filter", "to"),
    }
    return called.get(name, name)


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1

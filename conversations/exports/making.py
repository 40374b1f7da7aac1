"""The verb that makes an export."""

from __future__ import annotations

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from conversations.exports.formats import FORMATS
from conversations.finding import Filters
from conversations.models import AnswerRecord, Export
from conversations.posting import Refused
from conversations.reading import Sitting

FIELDS = {  # what the form calls the filters
    "text": gettext_lazy("Search"),
    "persona": gettext_lazy("Persona"),
    "version": gettext_lazy("Version"),
    "model": gettext_lazy("Model"),
    "rating": gettext_lazy("Rating"),
    "verdict": gettext_lazy("Verdict"),
    "label": gettext_lazy("Label"),
    "rule": gettext_lazy("In the queue for"),
    "finish": gettext_lazy("Finish reason"),
    "error": gettext_lazy("Error"),
    "since": pgettext_lazy("date", "From"),
    "until": pgettext_lazy("date", "To"),
}


def make(sitting: Sitting, kind: Export.Kind, filters: Filters) -> Export:
    """An export of the answers that are in the ledger now. It shows nothing yet.

    Raises Refused for filters that cannot be read: left out, they would let everything through.
    """
    if filters.unknown:
        raise Refused(
            _("%(unreadable)s No export was made. Choose again or leave it empty.")
            % {"unreadable": unreadable(filters)},
            status=400,
        )
    newest = AnswerRecord.objects.filter(company=sitting.company).aggregate(Max("id"))["id__max"]
    export = Export(
        company=sitting.company,
        by=sitting.reader,
        by_name=sitting.reader.get_username(),
        kind=kind,
        filters=filters.as_query(),
        reason=sitting.reason,
        upto=newest or 0,
    )
    export.save()  # what reviewers say counts as of its moment
    if not export.searches:  # the number of answers with certain words is for who reads them, on record
        export.answers = FORMATS[kind].answers(export).count()
        export.save(update_fields=["answers"])
    return export


def unreadable(filters: Filters) -> str:
    """A sentence that names the filters which cannot be read; empty where all can."""
    names = [str(FIELDS.get(name, name.capitalize())) for name in filters.names() if name in filters.unknown]
    if not names:
        return ""
    return _("What was given for %(filters)s cannot be read.") % {"filters": ", ".join(names)}

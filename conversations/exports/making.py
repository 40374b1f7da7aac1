"""The verb that makes an export."""

from __future__ import annotations

from django.db.models import Max

from conversations.exports.formats import FORMATS
from conversations.finding import Filters
from conversations.models import AnswerRecord, Export
from conversations.posting import Refused
from conversations.reading import Sitting

FIELDS = {  # what the form calls the filters
    "text": "Search",
    "rule": "In the queue for",
    "finish": "Finish reason",
    "since": "From",
    "until": "To",
}


def make(sitting: Sitting, kind: Export.Kind, filters: Filters) -> Export:
    """An export of the answers that are in the ledger now. It shows nothing yet.

    Raises Refused for filters that cannot be read: left out, they would let everything through.
    """
    if filters.unknown:
        raise Refused(
            f"{unreadable(filters)} No export was made. Choose again or leave it empty.", status=400
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
    names = [FIELDS.get(name, name.capitalize()) for name in filters.names() if name in filters.unknown]
    return f"What was given for {', '.join(names)} cannot be read." if names else ""

"""The verb that makes an export."""

from __future__ import annotations

from django.db.models import Max

from conversations.exports.formats import FORMATS
from conversations.finding import Filters
from conversations.models import AnswerRecord, Export
from conversations.reading import Sitting


def make(sitting: Sitting, kind: Export.Kind, filters: Filters) -> Export:
    """An export of the answers that are in the ledger now. It shows nothing yet."""
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
    export.answers = FORMATS[kind].answers(export).count()
    export.save()
    return export

"""The histories that the administration keeps of its rows: which of their entries are a company's.

The row that an entry is about may be gone, and the words that name it there may name another company's as well. So the
company is kept beside the entry as it is written; of a company itself its number says it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q

from conversations.models import Company, CompanyEntry


def keep(entries: Iterable[LogEntry], rows: Iterable[Model]) -> None:
    """Keep beside each of the `entries` whose row it is about, where that is a company's."""
    found = [(entry, getattr(row, "company_id", None)) for entry, row in zip(entries, rows, strict=True)]
    CompanyEntry.objects.bulk_create(
        CompanyEntry(entry=entry, company_id=company) for entry, company in found if company is not None
    )


def of_companies(companies: Iterable[uuid.UUID | str]) -> Q:
    """Which entries are about one of the companies, or about a row that is or was theirs."""
    wanted = [str(company) for company in companies]
    kind = ContentType.objects.get_for_model(Company)
    return Q(of__company__in=wanted) | Q(content_type=kind, object_id__in=wanted)

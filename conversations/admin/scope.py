"""What every page of the administration has in common: who may do what with which rows.

Rows come from one function for each model in `access`. Lists, search, filters, choices of relations,
autocomplete, actions, delete confirmations and histories all start from them. What goes on record does so here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, override

from conversations import access, histories
from conversations.models import (
    Company,
    CompanySignIn,
    Conversation,
    Endpoint,
    Invitation,
    Membership,
    Persona,
)

COUNTED = 1_000
FILTERED = ("__exact", "__id__exact", "__isnull")  # how the filters of Django's lists ask

M = TypeVar("M", bound=Model)

SCOPES: dict[type[Model], Callable[[access.AnyPerson], QuerySet[Any]]] = {
    Company: access.managed_companies,
    Endpoint: access.managed_endpoints,
    CompanySignIn: access.company_sign_ins,
    Invitation: access.managed_invitations,
    Membership: access.managed_memberships,
    Persona: access.managed_personas,
    User: access.managed_people,
}
"""The rows of each model that belongs, or can belong, to a company. A model that is not here belongs to none."""

if TYPE_CHECKING:

    class ModelAdminBase(admin.ModelAdmin[M], Generic[M]):
        """Django's own, as the type checker knows it."""

else:

    class ModelAdminBase(admin.ModelAdmin, Generic[M]):
        """Django's own."""


class OperatorsAdmin(ModelAdminBase[M]):
    """Pages for operators alone."""

    instead = gettext_lazy("Take the people out, or retire it, instead.")
    conversations_by = ""  # the lookup by which conversations hang on a row; with any, it cannot be deleted

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return access.is_operator(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.is_operator(request.user)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return access.is_operator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return access.is_operator(request.user)

    def get_deleted_objects(
        self, objs: QuerySet[M] | Sequence[M], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What goes with `objs`. What is on record stays, which is said without reading all of it."""
        if held := self.held(objs):
            return [], {}, set(), held
        return super().get_deleted_objects(objs, request)

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> LogEntry:
        with override(None):  # what goes on record is in one language
            entry: LogEntry = super().log_addition(request, obj, message)
        histories.keep([entry], [obj])
        return entry

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> LogEntry:
        with override(None):
            entry: LogEntry = super().log_change(request, obj, message)
        histories.keep([entry], [obj])
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[M]) -> list[LogEntry]:
        with override(None):
            entries: list[LogEntry] = super().log_deletions(request, queryset)
        histories.keep(entries, queryset)
        return entries

    def held(self, objs: QuerySet[M] | Sequence[M]) -> list[str]:
        """Why `objs` cannot be deleted, in sentences; empty where they can."""
        if not self.conversations_by:
            return []
        held = Conversation.objects.filter(**{f"{self.conversations_by}__in": [each.pk for each in objs]})
        number = held[:COUNTED].count()
        if not number:
            return []
        if number == COUNTED:
            said = _("%(number)s or more conversations, which stay on record.")
            number -= 1
        else:
            said = ngettext(
                "%(number)s conversation, which stays on record.",
                "%(number)s conversations, which stay on record.",
                number,
            )
        return [f"{said % {'number': number_format(number, force_grouping=True)}} {self.instead}"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        rows: QuerySet[M] = super().get_queryset(request)
        scope = SCOPES.get(self.model)
        return rows.filter(pk__in=scope(request.user).values("pk")) if scope else rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Lists are asked by the filters that stand beside them, and by nothing else: by others one could find out bit
        by bit what no page shows, and have the database asked for a year that there is none of. The rest is a 400, and
        so is a NUL, which PostgreSQL takes for a fault."""
        offered = set()
        for each in self.get_list_filter(request):
            if isinstance(each, type) and issubclass(each, admin.SimpleListFilter):
                offered.add(each.parameter_name)
            else:
                name = each[0] if isinstance(each, tuple) else each
                offered |= {f"{name}{how}" for how in FILTERED}
        return "\0" not in value and lookup in offered

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M:
        """The row of an address. What is foreign and what is absent are the same 404, not a redirect and a name."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise access.NotVisible
        return found

    def get_field_queryset(
        self, db: str | None, db_field: RelatedField[Any, Any], request: HttpRequest
    ) -> QuerySet[Any] | None:
        """What a relation can be set to."""
        scope = SCOPES.get(db_field.remote_field.model)
        return scope(request.user) if scope else super().get_field_queryset(db, db_field, request)


class ManagersAdmin(OperatorsAdmin[M]):
    """Pages for the managers of a company, on its rows."""

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._manages(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._manages(request, obj)

    def _manages(self, request: HttpRequest, obj: M | None) -> bool:
        companies = access.managed_companies(request.user)
        if obj is not None:
            companies = companies.filter(pk=obj.company_id)  # type: ignore[attr-defined]
            return access.is_operator(request.user) or companies.exists()
        # Every page asks this for each of these models, to list them at its side: once a request is enough.
        known: bool | None = getattr(request, "manages_any", None)
        if known is None:
            known = access.is_operator(request.user) or companies.exists()
            request.manages_any = known  # type: ignore[attr-defined]
        return known

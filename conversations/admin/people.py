"""The pages of a company's people, in the words of what is done there: a membership ends, an account stays."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from conversations import access, factors
from conversations.admin.scope import ManagersAdmin
from conversations.models import Company, Membership

if TYPE_CHECKING:
    ManagersMembership = ManagersAdmin[Membership]
else:
    ManagersMembership = ManagersAdmin

TAKE_OUT = "Take out of the company"
FEW = 5  # companies that stand above the list
LIST = "admin:conversations_membership_changelist"


class SecondFactorFilter(admin.SimpleListFilter):
    """Who has a second factor, and who has none."""

    title, parameter_name = "second factor", "factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "None"), ("some", "Set up")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> QuerySet[Membership]:
        wanted = {"none": Q(~factors.has_one()), "some": Q(factors.has_one())}
        return queryset.filter(wanted.get(str(self.value()), Q()))


class PeopleAdmin(ManagersMembership):
    """What Django calls deleting a person is taking them out of a company."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        deed = path(
            "second-factor/<uuid:company_id>/",
            wrap(require_second_factor),
            name="conversations_membership_second_factor",
        )
        return [deed, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        few = list(access.managed_companies(request.user)[: FEW + 1])
        factored = [(company, factors.without(company).count()) for company in few] if len(few) <= FEW else []
        context = {"title": "People", "operator": access.is_operator(request.user), "factored": factored}
        return super().changelist_view(request, context | (extra_context or {}))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().delete_view(request, object_id, {"title": TAKE_OUT} | (extra_context or {}))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        said = f"Taken out: {obj_display}. The account and what is on record stay."
        self.message_user(request, said, messages.SUCCESS)
        return redirect(LIST)

    def get_actions(self, request: HttpRequest) -> Any:
        """One after the other, each with what it means: a list with ticks would say it in Django's words."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


@require_POST
def require_second_factor(request: HttpRequest, company_id: uuid.UUID) -> HttpResponse:
    """Have everybody at a company set up a second factor first, or no longer."""
    company = access.managed_company(request.user, company_id)
    wanted = request.POST.get("required") == "yes"
    if wanted and not factors.of(cast(User, request.user)).exists():
        messages.error(
            request, "Set up a second factor of your own first, under “Your account”. Nothing was changed."
        )
        return redirect(LIST)
    company.requires_second_factor = wanted
    company.save(update_fields=["requires_second_factor"])
    done = "Requires" if company.requires_second_factor else "No longer requires"
    admin.site.get_model_admin(Company).log_change(request, company, f"{done} a second factor.")
    messages.success(request, f"{company}: {done.lower()} a second factor of its people.")
    return redirect(LIST)


def summary(company: Company) -> str:
    """How many people `company` has in which role, with the ways to them and to another."""
    found = company.memberships.values_list("role").annotate(many=Count("pk"))
    many = dict(found.order_by("role"))
    counted = [
        f"{many[role.value]} {role.label.lower()}{'' if many[role.value] == 1 else 's'}"
        for role in Membership.Role
        if role.value in many
    ]
    return format_html(
        '{}. <a href="{}?company__id__exact={}">Look at them</a> · <a href="{}?company={}">Let one in</a>',
        ", ".join(counted) or "Nobody yet",
        reverse(LIST),
        company.pk,
        reverse("admin:conversations_membership_add"),
        company.pk,
    )

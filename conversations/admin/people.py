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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_POST

from conversations import access, factors
from conversations.admin.scope import ManagersAdmin
from conversations.models import Company, Membership

if TYPE_CHECKING:
    ManagersMembership = ManagersAdmin[Membership]
else:
    ManagersMembership = ManagersAdmin

TAKE_OUT = gettext_lazy("Take out of the company")
FEW = 5  # companies that stand above the list
LIST = "admin:conversations_membership_changelist"


class SecondFactorFilter(admin.SimpleListFilter):
    """Who has a second factor, and who has none."""

    title, parameter_name = gettext_lazy("second factor"), "factor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", pgettext("second factor", "None")), ("some", pgettext("second factor", "Set up"))]

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
        context = {"title": _("People"), "operator": access.is_operator(request.user), "factored": factored}
        return super().changelist_view(request, context | (extra_context or {}))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().delete_view(request, object_id, {"title": TAKE_OUT} | (extra_context or {}))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        said = _("Taken out: %(person)s. The account and what is on record stay.") % {"person": obj_display}
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
            request, _("Set up a second factor of your own first, under “Your account”. Nothing was changed.")
        )
        return redirect(LIST)
    company.requires_second_factor = wanted
    company.save(update_fields=["requires_second_factor"])
    done = "Requires" if company.requires_second_factor else "No longer requires"
    admin.site.get_model_admin(Company).log_change(request, company, f"{done} a second factor.")
    said = (
        _("%(company)s: requires a second factor of its people.")
        if wanted
        else _("%(company)s: no longer requires a second factor of its people.")
    )
    messages.success(request, said % {"company": company})
    return redirect(LIST)


def summary(company: Company) -> str:
    """How many people `company` has in which role, with the ways to them and to another."""
    found = company.memberships.values_list("role").annotate(many=Count("pk"))
    many = dict(found.order_by("role"))
    counted = [_counted(role, many[role.value]) for role in Membership.Role if role.value in many]
    return format_html(
        '{}. <a href="{}?company__id__exact={}">{}</a> · <a href="{}?company={}">{}</a>',
        ", ".join(counted) or _("Nobody yet"),
        reverse(LIST),
        company.pk,
        _("Look at them"),
        reverse("admin:conversations_membership_add"),
        company.pk,
        _("Let one in"),
    )


def _counted(role: Membership.Role, number: int) -> str:
    said = {
        Membership.Role.MEMBER: ngettext("%(number)s member", "%(number)s members", number),
        Membership.Role.REVIEWER: ngettext("%(number)s reviewer", "%(number)s reviewers", number),
        Membership.Role.MANAGER: ngettext("%(number)s manager", "%(number)s managers", number),
    }
    return said[role] % {"number": number}

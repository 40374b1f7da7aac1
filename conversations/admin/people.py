"""The pages of a company's people, in the words of what is done there: a membership ends, an account stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from conversations import access
from conversations.admin.scope import ManagersAdmin
from conversations.models import Company, Membership

if TYPE_CHECKING:
    ManagersMembership = ManagersAdmin[Membership]
else:
    ManagersMembership = ManagersAdmin

TAKE_OUT = "Take out of the company"
LIST = "admin:conversations_membership_changelist"


class PeopleAdmin(ManagersMembership):
    """What Django calls deleting a person is taking them out of a company."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"title": "People", "operator": access.is_operator(request.user)}
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

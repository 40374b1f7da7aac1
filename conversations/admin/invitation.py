"""Invitations into a company, beside its people: made, shown once, taken back."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST

from conversations import access
from conversations.accounts import links
from conversations.admin.scope import ManagersAdmin
from conversations.models import Invitation

if TYPE_CHECKING:
    ManagersInvitation = ManagersAdmin[Invitation]
    InvitationModelForm = forms.ModelForm[Invitation]
else:
    ManagersInvitation = ManagersAdmin
    InvitationModelForm = forms.ModelForm

LIST = "admin:conversations_invitation_changelist"
STATES = {
    "Open": pgettext_lazy("invitation", "Open"),
    "Used": pgettext_lazy("invitation", "Used"),
    "Taken back": pgettext_lazy("invitation", "Taken back"),
    "Expired": pgettext_lazy("invitation", "Expired"),
}


class InvitationForm(InvitationModelForm):
    """Whom it is for and for how long."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"),
        min_value=1,
        max_value=links.MOST_DAYS,
        initial=links.INVITATION_DAYS,
        help_text=gettext_lazy("How many days the link is good for, if nobody uses it before."),
    )


@admin.register(Invitation)
class InvitationAdmin(ManagersInvitation):
    """What was made cannot be changed, only taken back."""

    form = InvitationForm
    list_display = ["role", "company", "note", "state", "made_by", "expires_at", "used_by"]
    list_filter = [("company", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["company", "made_by", "used_by"]
    list_display_links = ["role"]
    actions = None

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        if obj is None:
            return ["company", "role", "note", "days"]
        return [
            "company_name",
            "role",
            "note",
            "state",
            "made_by_name",
            "created_at",
            "expires_at",
            "used_by_name",
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> list[str]:
        return [] if obj is None else self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._manages(request, None)

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The only company of somebody who manages one."""
        companies = list(access.managed_companies(request.user)[:2])
        only = {"company": companies[0].pk} if len(companies) == 1 else {}
        return only | super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        # Kept beside the row for the page that follows, and nowhere else.
        obj.link_token = links.invite(  # type: ignore[attr-defined]
            obj, cast(User, request.user), days=form.cleaned_data["days"]
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The page that follows is the only one that ever has the link: no redirect, so that nothing has to keep it."""
        title = {
            "title": _("Invite somebody"),
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
        }
        response: HttpResponse = super().add_view(request, form_url, title | (extra_context or {}))
        return response

    def response_add(
        self, request: HttpRequest, obj: Invitation, post_url_continue: Any = None
    ) -> HttpResponse:
        token = obj.link_token  # type: ignore[attr-defined]
        context = self.admin_site.each_context(request) | {
            "title": _("The invitation is made"),
            "opts": Invitation._meta,
            "invitation": obj,
            "link": request.build_absolute_uri(reverse("invitation", args=[token])),
        }
        response = render(request, "admin/conversations/invitation/made.html", context)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        deed = path(
            "<uuid:invitation_id>/take-back/", wrap(take_back), name="conversations_invitation_take_back"
        )
        return [deed, *super().get_urls()]

    @admin.display(description=pgettext_lazy("field", "state"))
    def state(self, invitation: Invitation) -> str:
        """What became of it."""
        return str(STATES[invitation.state])

    @admin.display(description=pgettext_lazy("field", "company"))
    def company_name(self, invitation: Invitation) -> str:
        return invitation.company.name

    @admin.display(description=pgettext_lazy("field", "made by"))
    def made_by_name(self, invitation: Invitation) -> str:
        return invitation.made_by.get_username()

    @admin.display(description=pgettext_lazy("field", "used by"))
    def used_by_name(self, invitation: Invitation) -> str:
        return invitation.used_by.get_username() if invitation.used_by else "–"


@require_POST
def take_back(request: HttpRequest, invitation_id: uuid.UUID) -> HttpResponse:
    """Make an invitation good for nothing."""
    invitation = access.managed_invitations(request.user).filter(pk=invitation_id).first()
    if invitation is None:
        raise access.NotVisible
    if links.take_back(invitation):
        admin.site.get_model_admin(Invitation).log_change(request, invitation, "Taken back.")
        messages.success(request, _("The link is good for nothing any more."))
    else:
        messages.info(request, _("It was used or taken back before."))
    return redirect(LIST)

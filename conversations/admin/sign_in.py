"""Companies' providers, for operators alone: the site fetches from the addresses that are written down here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import endpoints, sealing
from conversations.admin.scope import OperatorsAdmin
from conversations.models import CompanySignIn
from conversations.providers import addresses

if TYPE_CHECKING:
    OperatorsSignIn = OperatorsAdmin[CompanySignIn]
    SignInModelForm = forms.ModelForm[CompanySignIn]
else:
    OperatorsSignIn = OperatorsAdmin
    SignInModelForm = forms.ModelForm

WITHIN = gettext_lazy(
    "Give a name with https://. For a server of your own, name its host and port in LOCAL_UPSTREAMS first."
)
ENDING = 4  # letters of a secret that are shown, of one that is long enough to spare them
LONG = 16
LINES = {"manager_values", "reviewer_values", "member_values", "email_domains"}


class CompanySignInForm(SignInModelForm):
    """The secret goes in and never comes out."""

    client_secret = forms.CharField(
        label=gettext_lazy("Client secret"),
        required=False,
        max_length=500,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in LINES & set(self.fields):
            self.fields[name].widget.attrs["rows"] = 3
        if "client_secret" in self.fields:
            ending = self.instance.secret_ending
            known = (
                _("One that ends in %(ending)s is kept. Leave it empty to keep it.") % {"ending": ending}
                if ending
                else _("One is kept. Leave it empty to keep it.")
            )
            kept = bool(self.instance.sealed_secret)
            self.fields["client_secret"].required = not kept
            self.fields["client_secret"].help_text = known if kept else ""

    def clean_issuer(self) -> str:
        """Servers within are asked only where the environment says so."""
        issuer: str = self.cleaned_data["issuer"]
        if issuer.rstrip("/").endswith("/.well-known/openid-configuration"):
            raise forms.ValidationError(
                _("Leave /.well-known/openid-configuration out: give what stands before it.")
            )
        parts = urlsplit(issuer)
        named = parts.scheme == "https" and not addresses.is_number(parts.hostname or "")
        if not (named or endpoints.is_own(issuer)):
            raise forms.ValidationError(WITHIN)
        return issuer

    def save(self, commit: bool = True) -> Any:
        """The row, with the secret sealed where one was given."""
        if secret := self.cleaned_data["client_secret"]:
            self.instance.sealed_secret = sealing.seal(secret, self.instance.sealing_context)
            self.instance.secret_ending = secret[-ENDING:] if len(secret) >= LONG else ""
        return super().save(commit)


@admin.register(CompanySignIn)
class CompanySignInAdmin(OperatorsSignIn):
    form = CompanySignInForm
    list_display = ["company", "issuer", "enabled", "otherwise"]
    list_select_related = ["company"]
    fieldsets = [
        (None, {"fields": ["company", "enabled"]}),
        (gettext_lazy("The provider"), {"fields": ["issuer", "client_id", "client_secret"]}),
        (
            gettext_lazy("Roles, told anew at each sign-in"),
            {"fields": ["role_claim", "manager_values", "reviewer_values", "member_values", "otherwise"]},
        ),
        (gettext_lazy("Who is let in at all"), {"fields": ["email_domains"]}),
    ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The row, and the two addresses that are made of it: for the company's people, and for the provider."""
        found = self.get_object(request, object_id)
        addresses = {
            name: request.build_absolute_uri(reverse(view, args=[found.pk])) if found else ""
            for name, view in (("address", "company_sign_in"), ("callback", "company_sign_in_callback"))
        }
        response: HttpResponse = super().change_view(
            request, object_id, form_url, addresses | (extra_context or {})
        )
        return response

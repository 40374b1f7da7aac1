"""The forms into which keys of providers are typed. What was typed is never shown again, also not after an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conversations import endpoints, keys, metrics
from conversations.models import Endpoint, ProviderKey
from conversations.providers.addresses import NotAllowed

if TYPE_CHECKING:
    EndpointFormBase = forms.ModelForm[Endpoint]
else:
    EndpointFormBase = forms.ModelForm


class KeyField(forms.CharField):
    """A key, of which no browser offers one that it knows, and no page the one that was sent."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"autocomplete": "new-password", "spellcheck": "false", "autocapitalize": "off"}
        super().__init__(widget=forms.PasswordInput(attrs=attributes, render_value=False), **kwargs)

    def clean(self, value: Any) -> str:
        """The key without spaces around it; empty where it may be. Raises ValidationError, without a word of it."""
        key = str(super().clean(value))
        if key and (problem := keys.problem(key)):
            raise forms.ValidationError(problem)
        return key


class KeyForm(forms.Form):
    """A company's own key for one provider."""

    key = KeyField(error_messages={"required": gettext_lazy("Paste the key first.")})

    def __init__(self, endpoint: Endpoint, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id=f"id_%s_{endpoint.pk}", label_suffix="")
        self.endpoint = endpoint
        self.fields["key"].label = _("Key for %(provider)s") % {"provider": endpoint.name}


class EndpointForm(EndpointFormBase):
    """A provider as operators keep it: where it is, whose it is, and the key for all who have none of their own."""

    key = KeyField(required=False, label=gettext_lazy("Key"))
    remove_key = forms.BooleanField(
        required=False,
        label=gettext_lazy("Take the key away"),
        help_text=gettext_lazy("Companies with a key of their own keep it."),
    )

    class Meta:
        model = Endpoint
        fields = ["name", "wire", "company", "base_url"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = keys.of(self.instance, None)
        self.fields["key"].help_text = (
            " ".join([described(kept), _("Type another to replace it.")])
            if kept
            else _(
                "For every company without a key of its own; instead of the environment's, where there is no address. "
                "It is kept sealed and never shown again."
            )
        )
        if kept is None:
            del self.fields["remove_key"]

    def clean_base_url(self) -> str:
        """An address that this site may call, and that leads where it may. Looked up when it is given or changed."""
        address: str = self.cleaned_data["base_url"]
        if address and "base_url" in self.changed_data:
            try:
                endpoints.allowed().check(address)
            except NotAllowed as refused:
                metrics.addresses_refused.inc()
                raise forms.ValidationError(refused.sentence) from None
        return address

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("key") and cleaned.get("remove_key"):
            self.add_error("remove_key", _("Either give another key, or take the one there is away."))
        return cleaned


def described(key: ProviderKey) -> str:
    """What a key is known by, in a sentence."""
    facts = {
        "ending": key.last4,
        "person": key.set_by.get_username() if key.set_by else "",
        "at": date_format(timezone.localtime(key.set_at), "DATETIME_FORMAT"),
    }
    if key.last4 and key.set_by:
        return _("A key ending in …%(ending)s is set, by %(person)s, %(at)s.") % facts
    if key.last4:
        return _("A key ending in …%(ending)s is set, %(at)s.") % facts
    if key.set_by:
        return _("A key is set, by %(person)s, %(at)s.") % facts
    return _("A key is set, %(at)s.") % facts

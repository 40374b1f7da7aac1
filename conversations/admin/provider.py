"""The providers that answer, for operators: they alone give addresses, and the keys that all companies share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from conversations import keys
from conversations.admin.key_forms import EndpointForm
from conversations.admin.scope import OperatorsAdmin
from conversations.models import Endpoint

if TYPE_CHECKING:
    OperatorsEndpoint = OperatorsAdmin[Endpoint]
else:
    OperatorsEndpoint = OperatorsAdmin


@admin.register(Endpoint)
class EndpointAdmin(OperatorsEndpoint):
    form = EndpointForm
    list_display = ["name", "wire", "company", "base_url"]
    list_filter = [("company", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["company"]

    def get_form(
        self, request: HttpRequest, obj: Endpoint | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form brings the fields of the key itself; only the provider's come from the model."""
        fields = [
            name for name in EndpointForm.Meta.fields if name not in self.get_readonly_fields(request, obj)
        ]
        return super().get_form(request, obj, change, **{**kwargs, "fields": fields})

    def get_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        taken_away = ["remove_key"] if obj and keys.of(obj, None) else []
        return [*EndpointForm.Meta.fields, "key", *taken_away]

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> list[str]:
        """Versions are pinned to their provider, answers to their version, and keys were given for one server alone:
        another server is another provider."""
        fixed = obj is not None and (obj.versions.exists() or obj.keys.exists())
        return ["wire", "company", "base_url"] if fixed else []

    @method_decorator(sensitive_post_parameters("key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: EndpointForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data["key"]:
            keys.put(obj, None, form.cleaned_data["key"], by=cast(User, request.user))
        elif form.cleaned_data.get("remove_key"):
            keys.remove(obj, None)

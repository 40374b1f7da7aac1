"""Companies and who belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from conversations import factors
from conversations.admin import people
from conversations.admin.people import PeopleAdmin, SecondFactorFilter
from conversations.admin.scope import OperatorsAdmin
from conversations.models import Company, Membership

if TYPE_CHECKING:
    OperatorsCompany = OperatorsAdmin[Company]
    MembershipModelForm = forms.ModelForm[Membership]
else:
    OperatorsCompany = OperatorsAdmin
    MembershipModelForm = forms.ModelForm


class PersonSelect(AutocompleteSelect):
    """Django's own looks up whatever was sent, and fails on what is no id."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        ids = [each for each in value if each.isascii() and each.isdigit() and len(each) < 19]
        return super().optgroups(name, ids, attr)


@admin.register(Company)
class CompanyAdmin(OperatorsCompany):
    list_display = ["name", "colour"]
    search_fields = ["name"]
    conversations_by = "persona__company"
    readonly_fields = ["people"]

    def get_fields(self, request: HttpRequest, obj: Company | None = None) -> Any:
        """A company that there is says how many people it has, and where they are."""
        fields = [name for name in super().get_fields(request, obj) if name != "people"]
        return [*fields, "people"] if obj else fields

    @admin.display(description=gettext_lazy("people"))
    def people(self, company: Company) -> str:
        """How many, by role: a company has more people than a form should have rows."""
        return people.summary(company)


class MembershipForm(MembershipModelForm):
    """A role. A company keeps a manager: whoever is the last one would find nobody to ask."""

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        manager = Membership.Role.MANAGER
        if self.initial.get("role") == manager != role:
            others = self.instance.company.memberships.filter(role=manager).exclude(pk=self.instance.pk)
            if not others.exists():
                raise forms.ValidationError(_("The company has no other manager. Make one first."))
        return role


@admin.register(Membership)
class MembershipAdmin(PeopleAdmin):
    """The people of a company. Managers give roles and take people out; accounts are let in by operators.

    A form that takes a user name would tell a manager which accounts exist elsewhere, by what it refuses.
    """

    form = MembershipForm
    list_display = ["user", "full_name", "role", "company", "second_factor"]
    list_filter = ["role", ("company", admin.RelatedOnlyFieldListFilter), SecondFactorFilter]
    list_select_related = ["user", "company"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    ordering = ["company__name", "user__username"]
    autocomplete_fields = ["user"]
    readonly_fields = ["user_name", "company_name"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["widget"] = PersonSelect(db_field, admin.site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """A membership is one person's in one company; another person's is another row. By name, without a link:
        the pages of the account and the company are the operators'."""
        return ["user_name", "company_name", "role"] if obj else ["user", "company", "role"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).annotate(factored=factors.has_one())

    @admin.display(description=gettext_lazy("second factor"))
    def second_factor(self, membership: Membership) -> str:
        """Whether the person has one."""
        if membership.factored:  # type: ignore[attr-defined]  # as the list asked
            return pgettext("second factor", "Set up")
        return pgettext("second factor", "None")

    @admin.display(description=pgettext_lazy("field", "user"))
    def user_name(self, membership: Membership) -> str:
        return membership.user.get_username()

    @admin.display(description=pgettext_lazy("field", "company"))
    def company_name(self, membership: Membership) -> str:
        return membership.company.name

    @admin.display(description=pgettext_lazy("field", "name"))
    def full_name(self, membership: Membership) -> str:
        """The person's name, where it is known."""
        return membership.user.get_full_name()

"""Accounts, for operators. What somebody did outlives their leaving, so only accounts that did nothing are deleted.

Who sets a password can sign in with it and read as its owner, past every reason and record. So that is itself a line
in the record of readings, written first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, ManyToOneRel, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from conversations import access, factors, reading
from conversations.accounts import links
from conversations.admin.scope import OperatorsAdmin
from conversations.models import Budget, Download, Membership, PasswordLink, QueueEntry, Reading, SignIn

if TYPE_CHECKING:
    DjangosAccount = UserAdmin[User]
else:
    DjangosAccount = UserAdmin

# A place at a company, a claim, and what one signs in with end with the account; the rest is a record.
PASSING = {
    Membership,
    Budget,
    QueueEntry,
    Download,
    Authenticator,
    EmailAddress,
    PasswordLink,
    SignIn,
    SocialAccount,
}

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(OperatorsAdmin[User], DjangosAccount):
    """Accounts. Roles are those of a company's members, so Django's staff flag, groups and permissions are left out."""

    conversations_by = "owner"
    instead = gettext_lazy("Close the account instead.")
    list_display = ["username", "email", "first_name", "last_name", "is_superuser"]
    list_filter = ["is_superuser", "is_active"]
    filter_horizontal = []
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (gettext_lazy("Personal info"), {"fields": ["first_name", "last_name", "email"]}),
        (gettext_lazy("Rights"), {"fields": ["is_active", "is_superuser"]}),
        (gettext_lazy("Important dates"), {"fields": ["last_login", "date_joined"]}),
        (gettext_lazy("What is kept"), {"fields": ["kept"]}),
    ]
    readonly_fields = ["kept", "last_login", "date_joined"]

    @admin.display(description=gettext_lazy("All of this person’s"))
    def kept(self, person: User) -> str:
        """The way to taking it away, and to erasing it."""
        address = reverse("admin:review_account", args=[person.pk])
        return format_html('<a href="{}">{}</a>', address, _("Take it away as a file, or erase the person"))

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:person_id>/password-link/", wrap(password_link), name="auth_user_password_link"),
            path("<int:person_id>/remove-factors/", wrap(remove_factors), name="auth_user_remove_factors"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The account, and what can be done for somebody who cannot get in."""
        person = self.get_object(request, unquote(object_id))
        context = {"factors": factors.of(person).count() if person else 0}
        response: HttpResponse = super().change_view(
            request, object_id, form_url, context | (extra_context or {})
        )
        return response

    def held(self, objs: QuerySet[User] | Sequence[User]) -> list[str]:
        """What is on record of each, and how to close the account that it stays with."""
        conversations = super().held(objs)
        return conversations + [
            format_html(
                _(
                    "<bdi>{person}</bdi>: {kinds} stay on record with this name. To close the account, "
                    '<a href="{address}">open it</a> and take “Active” away: nobody can sign in with it then.'
                ),
                person=person,
                kinds=get_text_list(kinds, _("and")),
                address=reverse("admin:auth_user_change", args=[person.pk]),
            )
            for person, kinds in _on_record([each.pk for each in objs])
        ]

    @method_decorator(sensitive_post_parameters())
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set a password; somebody else's is on record before."""
        person = self.get_object(request, unquote(id))
        if (
            request.method == "POST"
            and person != request.user
            and self.has_change_permission(request, person)
        ):
            form: Any = self.change_password_form(person, request.POST)
            if form.is_valid() and form.cleaned_data["set_usable_password"]:
                reading.password_set(cast(User, request.user), person)
        return super().user_change_password(request, id, form_url)


@require_POST
def password_link(request: HttpRequest, person_id: int) -> HttpResponse:
    """Make a link by which somebody chooses a new password. It stands on this page and nowhere else."""
    person = _account(request, person_id)
    operator = cast(User, request.user)
    if not person.is_active:
        messages.error(
            request,
            _("The account of %(person)s is closed. Tick “Active” and save first. No link was made.")
            % {"person": person},
        )
        return redirect("admin:auth_user_change", person.pk)
    if person != operator:
        reading.password_link_made(operator, person)
    token = links.offer_password(operator, person)
    admin.site.get_model_admin(User).log_change(request, person, "Made a link for a new password.")
    context = admin.site.each_context(request) | {
        "title": _("A link for %(person)s") % {"person": person},
        "opts": User._meta,
        "person": person,
        "link": request.build_absolute_uri(reverse("new_password", args=[token])),
        "hours": links.PASSWORD_HOURS,
    }
    response = render(request, "admin/auth/user/link.html", context)
    response.headers["Cache-Control"] = "no-store, private"
    return response


@require_POST
def remove_factors(request: HttpRequest, person_id: int) -> HttpResponse:
    """Take somebody's second factors away who lost them."""
    person = _account(request, person_id)
    operator = cast(User, request.user)
    if person != operator:
        reading.factors_removed(operator, person)
    factors.remove_all(person)
    admin.site.get_model_admin(User).log_change(request, person, "Removed the second factors.")
    messages.success(
        request,
        _("The second factors of %(person)s are gone, until some are set up again.") % {"person": person},
    )
    return redirect("admin:auth_user_change", person.pk)


def _account(request: HttpRequest, person_id: int) -> User:
    if not access.is_operator(request.user):
        raise PermissionDenied
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise access.NotVisible
    return person


def _on_record(ids: Sequence[int]) -> Iterator[tuple[User, list[str]]]:
    """Of the accounts that have anything on record, what kinds of things. Every relation counts, also later ones."""
    kinds = dict(enumerate(_records()))
    found = {f"has_{index}": Exists(rows) for index, (__, rows) in kinds.items()}
    for person in User.objects.filter(pk__in=ids).annotate(**found).order_by("username"):
        names = {name for index, (name, __) in kinds.items() if getattr(person, f"has_{index}")}
        if names:
            yield person, sorted(names)


def _records() -> Iterator[tuple[str, QuerySet[Any]]]:
    """By what it is called, whatever can hang on an account."""
    for relation in User._meta.get_fields(include_hidden=True):
        if not (isinstance(relation, ManyToOneRel) and issubclass(relation.related_model, Model)):
            continue
        model = relation.related_model
        if model not in PASSING and not model._meta.auto_created:
            rows = model._default_manager.filter(**{relation.field.name: OuterRef("pk")})
            yield str(model._meta.verbose_name_plural), rows
    for field in ("reader_id", "owner_id"):
        yield str(Reading._meta.verbose_name_plural), Reading.objects.filter(**{field: OuterRef("pk")})

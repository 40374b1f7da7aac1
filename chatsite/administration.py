"""The administration at /admin/: for operators, and for those who manage or review for a company.

Who may do what follows from a person's memberships, read anew at each request. Django's `is_staff` and its rows
of permissions are not asked: a right that has to be ticked by hand beside the role is one that is forgotten
when the role is taken away. `has_permission` opens the door, the methods of each ModelAdmin answer for its model
(see `conversations/admin/scope.py`), and the rows come from `conversations/access`.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy

from conversations import access

LISTED = 5  # companies on the first page; of more, a page of their own


class Administration(AdminSite):
    """Django's admin with our door before it, and without a sign-in page of its own."""

    site_header = site_title = gettext_lazy("Administration")
    index_title = gettext_lazy("Companies, people, personas")

    def has_permission(self, request: HttpRequest) -> bool:
        return access.administers(request.user)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Nobody goes to the sign-in page; who is signed in already would only come back from there."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise PermissionDenied
            response: HttpResponseBase = inner(request, *args, **kwargs)
            return response

        return guarded

    def get_urls(self) -> list[Any]:
        """Django's and the workplace's, but for the way from any row of any model to its page: ours have none, and
        it looks rows up unscoped."""
        from conversations.admin.workplace import urls  # once the models are there

        django = [each for each in super().get_urls() if getattr(each, "name", "") != "view_on_site"]
        return urls.urls() + django

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page, with the ways into the review of each company where they are few."""
        mine = list(access.reviewed_companies(request.user)[: LISTED + 1])
        managed = set(
            access.managed_companies(request.user)
            .filter(pk__in=[each.pk for each in mine])
            .values_list("pk", flat=True)
        )
        reviewed = [(company, company.pk in managed) for company in mine]
        context = {"reviewed": reviewed, "further": len(mine) > LISTED}
        return super().index(request, context | (extra_context or {}))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The site has one sign-in page."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or request.path.removesuffix("login/"))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The site has one page for it."""
        return redirect("password_change")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The site has one page for it."""
        return redirect("password_change_done")

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """A person's recent actions name what they may not see any more; only operators see everything anyway."""
        entries = LogEntry.objects.select_related("content_type", "user")
        return entries if access.is_operator(request.user) else entries.none()

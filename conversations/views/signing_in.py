"""The page where people sign in: allauth's view, which is told which company's provider this browser knows."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from django.http import HttpRequest

from conversations.views.doors import remembered


class SignInView(LoginView):  # type: ignore[misc]
    """Username and password, a passkey, or the provider of the company that signed in here before."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request: HttpRequest = self.request
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"company_sign_in": remembered(request)}


sign_in = SignInView.as_view()

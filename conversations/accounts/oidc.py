"""OpenID Connect with a company's provider: allauth's, made strict.

allauth takes an ID token that comes straight from the provider without looking at its signature, and knows no nonce.
Here every token has to be signed by a key of the issuer, for this client, for this very sign-in (OpenID Connect Core
1.0, sections 3.1.3.7 and 5.3.2), and the issuer is the one that an operator wrote down, not the one that is claimed.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from requests import RequestException

from conversations import endpoints
from conversations.accounts import companies
from conversations.models import CompanySignIn

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 30  # seconds that clocks may differ
NEEDED = ("iss", "sub", "aud", "exp", "iat", "nonce")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
SUBJECT_CHARS = 191  # of 255 that the standard allows, what the column holds
NAME_CHARS = 150


class Untrue(OAuth2Error):  # type: ignore[misc]
    """What a provider says does not hold, in a sentence that has none of its words."""


ProviderFailed = (OAuth2Error, RequestException)
"""What comes of a provider that does not answer, or not as it should."""


class CompanyOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """One sign-in with one provider. `nonce` is what it was begun with."""

    nonce = ""

    @property
    def row(self) -> CompanySignIn:
        found: CompanySignIn = self.get_provider().row
        return found

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the issuer says of itself, if it is the one that was asked. Raises OAuth2Error and RequestException."""
        if not hasattr(self, "_openid_config"):
            config = super().openid_config
            issuer = self.row.issuer
            if not isinstance(config, dict) or config.get("issuer") != issuer:
                del self._openid_config
                raise Untrue("Another issuer answers.")
            named = [config.get(name) for name in ENDPOINTS] + [config.get("userinfo_endpoint", issuer)]
            if not all(isinstance(each, str) and _is_as_safe(each, issuer) for each in named):
                del self._openid_config
                raise Untrue("An endpoint is missing or no address.")
        found: dict[str, Any] = self._openid_config
        return found

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return request.build_absolute_uri(reverse("company_sign_in_callback", args=[self.provider_id]))

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Who it is, told by a token that holds. Raises OAuth2Error and RequestException."""
        claims = self._claims(str(kwargs["response"].get("id_token") or ""))
        if "userinfo_endpoint" in self.openid_config:
            further = self._fetch_user_info(token.token)
            if not isinstance(further, dict) or further.get("sub") != claims["sub"]:
                raise Untrue("The provider speaks of somebody else.")
            claims = further | claims
        return self.get_provider().sociallogin_from_response(request, claims)

    def _claims(self, id_token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(id_token)
            if header["alg"] not in ALGORITHMS:
                raise Untrue("The token is not signed by a key pair.")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key(header),
                algorithms=[header["alg"]],
                audience=self.row.client_id,
                issuer=self.row.issuer,
                leeway=LEEWAY,
                options={"require": list(NEEDED)},
            )
            genuine = hmac.compare_digest(str(claims["nonce"]).encode(), self.nonce.encode()) and self.nonce
            alone = claims["aud"] in (self.row.client_id, [self.row.client_id])
            ours = claims.get("azp", self.row.client_id if alone else None) == self.row.client_id
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise Untrue(f"The token does not hold: {type(error).__name__}.") from None
        subject = str(claims["sub"])
        if not (genuine and ours and subject == companies.words(claims, "sub", SUBJECT_CHARS) != ""):
            raise Untrue("The token is for another sign-in.")
        return claims

    def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        """The issuer's key that a token says it is signed by; it need not say so where there is one alone."""
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
            named = [each for each in response.json()["keys"] if isinstance(each, dict)]
            keys = [each for each in named if each.get("use", "sig") == "sig"]
        if "kid" in header:
            keys = [each for each in keys if each.get("kid") == header["kid"]]
        (key,) = keys
        return jwt.PyJWK(key, algorithm=header["alg"])


class CompanyProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """The provider of one company."""

    oauth2_adapter_class = CompanyOAuth2Adapter

    @property
    def row(self) -> CompanySignIn:
        found: CompanySignIn = self.app.row
        return found

    def begin(self, request: HttpRequest, next_url: str | None) -> str:
        """Where a browser has to go to sign in. Raises OAuth2Error and RequestException."""
        nonce = secrets.token_urlsafe(32)
        response = self.redirect(
            request, AuthProcess.LOGIN, next_url, auth_params={"nonce": nonce}, nonce=nonce
        )
        return str(response["Location"])

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["sub"])

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        names = {"first_name": "given_name", "last_name": "family_name", "name": "name"}
        return {field: companies.words(data, claim, NAME_CHARS) for field, claim in names.items()}

    def extract_email_addresses(self, data: dict[str, Any]) -> list[Any]:
        return []  # allauth would keep them, and look for others with the same

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}  # whatever else is claimed is used at this moment and not kept

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> Any:
        """Who signs in, as issuer and subject, and what else is claimed of them for as long as this lasts."""
        login = super().sociallogin_from_response(request, response)
        login.account.provider = self.row.issuer
        login.claims = response
        return login


class Callback(OAuth2CallbackView):  # type: ignore[misc]
    """The way back from the provider. A state is good once, in the session that it was made in, at its provider."""

    def _get_state(self, request: HttpRequest, provider: Any) -> Any:
        state, response = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce", "")
        return state, response


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take what the provider sent a browser back with. Raises OAuth2Error and RequestException."""
    view = Callback.adapter_view(CompanyOAuth2Adapter(request, provider_id))
    response: HttpResponse = view(request)
    return response


def _is_as_safe(address: str, issuer: str) -> bool:
    """Whether `address` is one that travels no less hidden than those of `issuer`, and none of the site's own servers
    but the issuer: models stand there, which answer whoever reaches them."""
    if endpoints.is_own(address) and endpoints.place(address) != endpoints.place(issuer):
        return False
    parts, own = urlsplit(address), urlsplit(issuer)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == own.scheme and parts.hostname == own.hostname

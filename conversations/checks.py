"""System checks: what `check --deploy` does not look at, each with what to do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from csp.constants import NONCE, NONE
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import DatabaseError

from conversations import endpoints, sealed
from conversations.models import Endpoint
from conversations.providers.addresses import NotAllowed

UPSTREAMS = "upstreams"  # the tag of what a process looks at when it starts

SHOWN = 10  # secrets are named at most

_DEFERRED = checks.Error(
    "SQLite is used with deferred transactions: writers fail at once when they meet.",
    hint='Set OPTIONS["transaction_mode"] to "IMMEDIATE".',
    id="conversations.E002",
)
_LEAKS = checks.Error(
    "Database connections are kept open: under ASGI one leaks for every thread.",
    hint="Leave CONN_MAX_AGE at 0; PostgreSQL has its pool.",
    id="conversations.E003",
)
_SHARED_SQLITE = checks.Error(
    "REDIS_URL is for several processes, and SQLite for one: two would lose answers and wait for each other.",
    hint="Set DATABASE_URL to a PostgreSQL database, or leave REDIS_URL out.",
    id="conversations.E004",
)
_POLICY = checks.Error(
    "The content security policy lets more scripts run than those that our templates ask for.",
    hint="Leave script-src at the nonce alone and default-src at 'none' in CONTENT_SECURITY_POLICY.",
    id="conversations.E005",
)
_ADDRESSES = checks.Error(
    "The log of httpx is at INFO: its lines hold whole addresses of providers.",
    hint="Leave the logger httpx at WARNING.",
    id="conversations.E006",
)
_ORIGINS = checks.Error(
    "CSRF_TRUSTED_ORIGINS holds a pattern: whoever has one name below it could open sockets as our people.",
    hint="Name each origin, such as https://chat.example.com.",
    id="conversations.E007",
)
_KEYS = checks.Warning(
    "Several processes share the site, and SECRET_KEY or ENCRYPTION_KEY is not set: on another machine each would have "
    "its own.",
    hint="Give all of them the same SECRET_KEY and ENCRYPTION_KEY.",
    id="conversations.W004",
)


@register(Tags.security, deploy=True)
def hosts_and_https(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Any host, or plain HTTP beyond this machine."""
    problems: list[CheckMessage] = []
    if "*" in settings.ALLOWED_HOSTS:
        problems.append(
            checks.Error(
                "ALLOWED_HOSTS accepts any host name.",
                hint="Name the site's own, such as ALLOWED_HOSTS=chat.example.com.",
                id="conversations.E001",
            )
        )
    public = set(settings.ALLOWED_HOSTS) - {"localhost", "127.0.0.1", "[::1]"}
    if public and not settings.HTTPS:
        problems.append(
            checks.Warning(
                "The site is served to other machines over plain HTTP: passwords and chats travel in clear.",
                hint="Put a proxy with TLS before it and set CSRF_TRUSTED_ORIGINS=https://chat.example.com.",
                id="conversations.W001",
            )
        )
    return problems


@register(Tags.security, deploy=True)
def walls(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """What keeps text from acting, foreign pages from connecting, and addresses and keys out of the log."""
    problems: list[CheckMessage] = []
    policy = (getattr(settings, "CONTENT_SECURITY_POLICY", None) or {}).get("DIRECTIVES", {})
    if policy.get("script-src") != [NONCE] or policy.get("default-src") != [NONE]:
        problems.append(_POLICY)
    if any("*" in origin for origin in settings.CSRF_TRUSTED_ORIGINS):
        problems.append(_ORIGINS)
    if logging.getLogger("httpx").getEffectiveLevel() < logging.WARNING:
        problems.append(_ADDRESSES)
    if settings.REDIS_URL and not settings.KEYS_GIVEN:
        problems.append(_KEYS)
    return problems


@register(Tags.database)
def database_settings(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """The settings without which SQLite loses writes and PostgreSQL runs out of connections."""
    database = settings.DATABASES["default"]
    if "sqlite3" not in database["ENGINE"]:
        return [_LEAKS] if database.get("CONN_MAX_AGE", 0) != 0 else []
    problems: list[CheckMessage] = []
    if database.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
        problems.append(_DEFERRED)
    if settings.REDIS_URL:
        problems.append(_SHARED_SQLITE)
    return problems


@register(Tags.database, UPSTREAMS)
def keys_that_open(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Sealed secrets that this server cannot open: its providers would not be asked."""
    if not databases:
        return []
    try:
        lost = sealed.unreadable()
    except DatabaseError:
        return []  # before the migration that makes the tables
    if not lost:
        return []
    return [
        checks.Warning(
            f"{len(lost)} sealed secrets cannot be opened with ENCRYPTION_KEY: "
            f"{', '.join(map(str, lost[:SHOWN]))}{' …' if len(lost) > SHOWN else '.'}",
            hint="Add the key that sealed them to the end of ENCRYPTION_KEY (or bring back DATA_DIR/encryption-key "
            "from the backup). Where it is lost, set these keys anew in the administration, and take the authenticator "
            "apps away (manage.py remove_factors), to be set up anew.",
            id="conversations.W002",
        )
    ]


@register(Tags.database, UPSTREAMS)
def addresses_that_are_allowed(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Providers whose address this site does not call, by its lists as they are now. Names are not looked up."""
    if not databases:
        return []
    try:
        given = list(Endpoint.objects.exclude(base_url="").order_by("pk"))
    except DatabaseError:
        return []
    return [
        checks.Warning(
            f"The provider “{endpoint}” is not called: {sentence}",
            hint="Its personas answer with an error until then. An address that is no longer wanted needs another "
            "provider in its personas.",
            id="conversations.W003",
        )
        for endpoint in given
        if (sentence := _refusal(endpoint))
    ]


def _refusal(endpoint: Endpoint) -> str:
    try:
        endpoints.allowed().is_local(endpoint.base_url)
    except NotAllowed as refused:
        return refused.sentence
    return ""

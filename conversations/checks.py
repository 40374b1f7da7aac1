"""System checks: what `check --deploy` does not look at, each with what to do."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from csp.constants import NONCE, NONE
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register

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
    "Several processes share the site, and SECRET_KEY is not set: on another machine each would have its own.",
    hint="Give all of them the same SECRET_KEY.",
    id="conversations.W002",
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
    if logging.getLogger("httpx").isEnabledFor(logging.INFO):
        problems.append(_ADDRESSES)
    if settings.REDIS_URL and not settings.SECRET_KEY_GIVEN:
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

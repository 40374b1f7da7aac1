"""Reading the environment: typed values, secrets from files, and a loud stop on a bad one.

Only parsing lives here; which settings exist is `settings.py`'s business.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv6Address, ip_network
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_-]+(\.[a-z0-9_-]+)*)(:(?P<port>[0-9]{1,5}))?", re.ASCII | re.I)


def envstr(name: str, default: str = "") -> str:
    """The value of `name`, stripped; `default` where it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def envbool(name: str, *, default: bool) -> bool:
    """The value of `name` as a flag. Raises ImproperlyConfigured for anything but yes or no."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    value = raw.strip().lower()
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(
        f"{name} must be yes or no (1, true, yes, on / 0, false, no, off), not {raw!r}."
    )


def envint(name: str, default: int, *, minimum: int = 0) -> int:
    """The value of `name` as a whole number of at least `minimum`. Raises ImproperlyConfigured otherwise."""
    raw = envstr(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from error
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}.")
    return value


def envzone(name: str, default: str) -> str:
    """The value of `name` as a time zone, such as Europe/Berlin. Raises ImproperlyConfigured for an unknown one."""
    value = envstr(name, default)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ImproperlyConfigured(
            f"{name} must be a time zone such as Europe/Berlin, not {value!r}."
        ) from error
    return value


def envcurrency(name: str, default: str) -> str:
    """The value of `name` as the code of a currency, such as EUR. Raises ImproperlyConfigured for anything else."""
    value = envstr(name, default).upper()
    if not (len(value) == 3 and value.isascii() and value.isalpha()):
        raise ImproperlyConfigured(
            f"{name} must be the three letters of a currency such as EUR, not {value!r}."
        )
    return value


def envseconds(name: str, default: float) -> float:
    """The value of `name` in seconds, above zero. Raises ImproperlyConfigured otherwise."""
    raw = envstr(name)
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number of seconds, not {raw!r}.") from error
    if not 0 < value < float("inf"):
        raise ImproperlyConfigured(f"{name} must be more than zero seconds, not {raw!r}.")
    return value


def envlist(name: str, default: str = "") -> list[str]:
    """The value of `name` split at commas, blanks dropped."""
    return [item.strip() for item in envstr(name, default).split(",") if item.strip()]


def envplaces(name: str, *, ported: bool) -> list[str]:
    """The value of `name` as servers, `host` or `host:port`; with `ported` each has its port.

    Raises ImproperlyConfigured for anything else, such as an address with https:// before it.
    """
    entries = envlist(name)
    for entry in entries:
        found = _PLACE.fullmatch(entry)
        port = found and found["port"]
        if (
            not found
            or not _is_host(found[1])
            or (port and not 0 < int(port) < 65536)
            or (ported and not port)
        ):
            form = "host:port" if ported else "host or host:port"
            raise ImproperlyConfigured(f"{name} must be a list of {form} with commas between, not {entry!r}.")
    return entries


def _is_host(text: str) -> bool:
    """Whether what stands in brackets, if anything does, is an IPv6 address."""
    try:
        return not text.startswith("[") or bool(IPv6Address(text[1:-1]))
    except ValueError:
        return False


def envnetworks(name: str) -> list[str]:
    """The value of `name` as addresses and networks, split at commas. Raises ImproperlyConfigured for anything else."""
    networks = envlist(name)
    for each in networks:
        try:
            ip_network(each)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name} must be addresses or networks such as 127.0.0.1 or 10.0.0.0/8, not {each!r}."
            ) from error
    return networks


def envsecret(name: str) -> str:
    """The secret `name`, or the content of the file that `NAME_FILE` names; empty where neither is set.

    Raises ImproperlyConfigured where both are set or the file cannot be read. The message never holds the value.
    """
    value, file = envstr(name), envstr(f"{name}_FILE")
    if value and file:
        raise ImproperlyConfigured(f"Set either {name} or {name}_FILE, not both.")
    if not file:
        return value
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {type(error).__name__}.") from error

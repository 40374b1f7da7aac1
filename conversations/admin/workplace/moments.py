"""When something happened, as reviewers read it: short, and with the year where it is not this one."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def short(moment: datetime) -> str:
    """Day and minute, in the site's time."""
    local = timezone.localtime(moment)
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return f"{local.day} {local:%b}{year}, {local:%H:%M}"


def exact(moment: datetime) -> str:
    """Day and second, in the site's time."""
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"

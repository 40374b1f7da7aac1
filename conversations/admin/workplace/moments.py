"""When something happened, as reviewers read it: short, and with the year where it is not this one."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


def short(moment: datetime) -> str:
    """Day and minute, in the site's time."""
    local = timezone.localtime(moment)
    this_year = local.year == timezone.localtime().year
    return date_format(local, _("j M, H:i") if this_year else _("j M Y, H:i"))


def exact(moment: datetime) -> str:
    """Day and second, in the site's time."""
    local = timezone.localtime(moment)
    return date_format(local, _("j M Y, H:i:s"))

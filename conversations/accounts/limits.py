"""How often one may fail to sign in: so often at an account, so often from an address, within a quarter of an hour.

The counts are in the database, where all processes see them and nothing else has to be up. A try is counted as failed
before it is looked at, and taken back when it was right: of many at once no more than the limit are ever looked at.
Nothing here knows whether an account exists, so an answer cannot tell.

Strangers share one count at an account, so a stranger can use it up. Whoever has proved something has a count that no
stranger reaches: in a browser that is known at the account, behind the right password, and while signed in.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from math import ceil

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from conversations import metrics
from conversations.accounts import callers, devices
from conversations.models import SignInCount, SpentCode

logger = logging.getLogger(__name__)

AT_AN_ACCOUNT = 5
AT_AN_INVITATION = 10
FROM_AN_ADDRESS = 20
WINDOW = 15 * 60  # seconds
PURGED = 200  # rows at a time


class At(Enum):
    """At what somebody tries something, by what is counted there."""

    ACCOUNT = "account"  # with a password, and nothing before
    CODE = "code"  # and passkeys, behind the password
    PASSKEY = "passkey"  # instead of the password: whose it is, nobody knows before
    AGAIN = "again"  # by whoever is signed in
    INVITATION = "invitation"


class TooManyFailures(Exception):
    """Nothing was looked at. `seconds` says when the next try will be."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many failed sign-ins.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that counts as failed until `succeeded` is called."""

    keys: tuple[str, ...]
    at: float

    def succeeded(self) -> None:
        """Take it back. What failed before still counts."""
        with transaction.atomic():
            rows = list(SignInCount.objects.select_for_update().filter(key__in=self.keys).order_by("key"))
            for row in rows:
                if self.at in row.times:
                    row.times.remove(self.at)
            SignInCount.objects.bulk_update(rows, ["times"])


def begin(request: HttpRequest, at: At, whom: str = "") -> Attempt:
    """Count a try of `whom`: a username, or what names an invitation. Raises TooManyFailures."""
    try:
        return count(_counts(request, at, whom))
    except TooManyFailures:
        metrics.sign_in_refusals.labels("limit").inc()
        if callers.comes_through_a_stranger(request):
            logger.warning(
                "Failed sign-ins of all clients of a proxy count as one: name it in TRUSTED_PROXIES."
            )
        raise


def _counts(request: HttpRequest, at: At, whom: str) -> dict[str, int]:
    """Where a try counts, and how often one may fail there."""
    name, address = normal(whom), callers.counted(callers.address_of(request))
    if at is At.PASSKEY:
        return {key(at.value, address): FROM_AN_ADDRESS}
    if at is At.AGAIN:
        return {key(at.value, name): AT_AN_ACCOUNT}
    if at is not At.INVITATION and (device := devices.of(request, name)):
        return {key("device", f"{device} {name}"): AT_AN_ACCOUNT}
    most = AT_AN_INVITATION if at is At.INVITATION else AT_AN_ACCOUNT
    return {key("address", address): FROM_AN_ADDRESS, key(at.value, name): most}


def count(limits: Mapping[str, int]) -> Attempt:
    """Count one more at each key, or at none where one of them has reached its limit. Raises TooManyFailures."""
    _purge()
    keys = sorted(limits)  # everybody locks in this order, so nobody waits for one another
    now = time.time()
    until = datetime.fromtimestamp(now + WINDOW, UTC)
    with transaction.atomic():
        SignInCount.objects.bulk_create(
            [SignInCount(key=each, until=until) for each in keys],
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=["until"],
        )
        rows = list(SignInCount.objects.select_for_update().filter(key__in=keys).order_by("key"))
        waits = []
        for row in rows:
            row.times = [at for at in row.times if at > now - WINDOW]
            if len(row.times) >= limits[row.key]:
                waits.append(row.times[-limits[row.key]] + WINDOW - now)
            row.times.append(now)
        if waits:
            raise TooManyFailures(max(1, ceil(max(waits))))
        SignInCount.objects.bulk_update(rows, ["times"])
    return Attempt(tuple(keys), now)


def spend(what: str, *, seconds: int) -> bool:
    """Whether `what` is used for the first time in so many seconds. It is good once, in whichever process."""
    until = datetime.fromtimestamp(time.time() + seconds, UTC)
    _, first = SpentCode.objects.get_or_create(key=key("spent", what), defaults={"until": until})
    return first


def normal(username: str) -> str:
    """All spellings of a name as one: what differs by case alone is counted together."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def key(kind: str, text: str) -> str:
    """What is kept instead of a name, which may be a mistyped password, or of an address."""
    secret = f"failed sign-ins: {settings.SECRET_KEY}".encode()
    return hmac.new(secret, f"{kind} {text}".encode(), hashlib.sha256).hexdigest()


def _purge() -> None:
    """Remove what counts no more. Whatever somebody is about to count at is left."""
    now = datetime.fromtimestamp(time.time(), UTC)
    for rows in (SignInCount.objects.filter(until__lt=now), SpentCode.objects.filter(until__lt=now)):
        if not rows.exists():
            continue
        with transaction.atomic():
            over = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:PURGED])
            rows.filter(pk__in=over).delete()

"""Secrets at rest: what a sealed value gives away, who can open it, and how its key is changed."""

from __future__ import annotations

import base64
import io

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from conversations import keys, sealed, sealing
from conversations.models import Company, Endpoint, ProviderKey
from tests.conftest import Cast

SECRET = "sk-canary-2b7e151628aed2a6"
OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40


def test_a_sealed_text_comes_back_and_tells_nothing() -> None:
    one, two = sealing.seal(SECRET, "a"), sealing.seal(SECRET, "a")
    assert one != two
    assert sealing.unseal(one, "a") == sealing.unseal(two, "a") == SECRET
    assert SECRET not in one
    assert SECRET.encode() not in base64.urlsafe_b64decode(one.removeprefix("1:"))
    assert sealing.unseal(sealing.seal("ü" * 1000)) == "ü" * 1000


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda value: value[:-6] + ("AAAAAA" if value[-6:] != "AAAAAA" else "BBBBBB"),
        lambda value: "1:" + ("A" if value[2] != "A" else "B") + value[3:],
        lambda value: value[:20],
        lambda value: "",
        lambda value: "1:",
        lambda value: "plain text",
        lambda value: "1:ä",
        lambda value: value + "x",
    ],
)
def test_what_was_changed_is_not_opened(spoilt: object) -> None:
    assert callable(spoilt)
    with pytest.raises(sealing.Unreadable) as caught:
        sealing.unseal(spoilt(sealing.seal(SECRET, "row")), "row")
    assert SECRET not in repr(caught.value)
    assert caught.value.__context__ is None


def test_a_sealed_value_belongs_to_its_row() -> None:
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealing.seal(SECRET, "company a"), "company b")
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(sealing.seal(SECRET), "company b")


def test_any_of_the_keys_opens_and_the_first_seals(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    before = sealing.seal(SECRET, "row")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert sealing.unseal(before, "row") == SECRET
    after = sealing.reseal(before, "row")
    assert sealing.reseal(after, "row") == after
    settings.ENCRYPTION_KEYS = [NEW]
    assert sealing.unseal(after, "row") == SECRET
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(before, "row")


def test_another_secret_key_signs_people_out_and_loses_no_key(settings: Settings) -> None:
    value = sealing.seal(SECRET)
    settings.SECRET_KEY = "another-" + "s" * 50
    assert sealing.unseal(value) == SECRET


def own_key(cast: Cast, company: Company | None = None) -> ProviderKey:
    return keys.put(Endpoint.objects.get(wire="mistral"), company or cast.coca_cola, SECRET, by=cast.manager)


def test_a_key_of_another_company_cannot_be_copied(cast: Cast) -> None:
    theirs = own_key(cast, cast.globex)
    ours = ProviderKey.objects.create(
        endpoint=theirs.endpoint,
        company=cast.coca_cola,
        sealed=theirs.sealed,
        last4=theirs.last4,
        set_at=timezone.now(),
    )
    assert keys.opened(theirs) == SECRET
    with pytest.raises(sealing.Unreadable):
        keys.opened(ours)
    assert sealed.unreadable() == [ours]


def test_rotation_seals_everything_anew(cast: Cast, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    mine, theirs = own_key(cast), own_key(cast, cast.globex)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    call_command("rotate_keys", stdout=out)
    assert out.getvalue().splitlines() == ["2 sealed anew.", "0 sealed anew."]
    settings.ENCRYPTION_KEYS = [NEW]
    for key in (mine, theirs):
        key.refresh_from_db()
        assert keys.opened(key) == SECRET


def test_rotation_names_what_it_cannot_open_and_leaves_it(cast: Cast, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    lost = own_key(cast)
    settings.ENCRYPTION_KEYS = [NEW]
    kept = own_key(cast, cast.globex)
    with pytest.raises(CommandError, match="the key of Coca Cola for Mistral"):
        call_command("rotate_keys", stdout=io.StringIO())
    assert ProviderKey.objects.get(pk=lost.pk).sealed == lost.sealed
    assert keys.opened(ProviderKey.objects.get(pk=kept.pk)) == SECRET


def test_keys_that_do_not_open_are_reported(cast: Cast, settings: Settings) -> None:
    def reported() -> str:
        return " ".join(
            found.msg for found in run_checks(databases=["default"]) if found.id == "conversations.W002"
        )

    settings.ENCRYPTION_KEYS = [OLD]
    own_key(cast)
    assert reported() == ""
    settings.ENCRYPTION_KEYS = [NEW]
    assert "the key of Coca Cola for Mistral" in reported()
    assert SECRET[-4:] not in reported()

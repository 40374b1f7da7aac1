"""SQL that is written out says what the models would."""

from __future__ import annotations

import uuid
from itertools import product

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction
from django.db.transaction import TransactionManagementError

from conversations import attached, factors, posting, statements, thread
from conversations.attaching import File
from conversations.models import Company, Membership
from conversations.providers.documents import OVERHEAD
from tests.conftest import Cast
from tests.test_posting import end


def test_ids_go_in_and_come_out(cast: Cast) -> None:
    ((found,),) = statements.fetch("SELECT id FROM conversations_company WHERE id = %s", cast.globex.pk)
    assert statements.identity(found) == cast.globex.pk
    assert statements.identity(None) is None


def test_it_runs_once_a_row(cast: Cast) -> None:
    statement = "UPDATE conversations_company SET name = %s WHERE id = %s"
    statements.run(statement, [("One", cast.globex.pk), ("Two", cast.coca_cola.pk)])
    names = dict(Company.objects.values_list("pk", "name"))
    assert (names[cast.globex.pk], names[cast.coca_cola.pk]) == ("One", "Two")
    statements.run(statement, [])


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_taken_in_a_transaction_alone() -> None:
    with pytest.raises(TransactionManagementError):
        statements.locking("SELECT id FROM conversations_company")
    with transaction.atomic():
        statements.fetch(statements.locking("SELECT id FROM conversations_company"))


def test_who_lacks_a_second_factor_is_the_same_of_an_account_and_of_its_memberships(cast: Cast) -> None:
    required = Company.objects.create(name="Strict", requires_second_factor=True)
    for number, (member, other, factor) in enumerate(
        product((False, True), (False, True), ("", "totp", "codes"))
    ):
        person = User.objects.create(username=f"person-{number}")
        if member:
            Membership.objects.create(user=person, company=required)
        if other:
            Membership.objects.create(user=person, company=cast.globex)
        if factor:
            kinds = {"totp": Authenticator.Type.TOTP, "codes": Authenticator.Type.RECOVERY_CODES}
            Authenticator.objects.create(user=person, type=kinds[factor], data={})
    lacking = {person.pk: person.lacks for person in User.objects.annotate(lacks=factors.lacking())}
    asked = {
        person.pk: person.memberships.filter(factors.missing()).exists() for person in User.objects.all()
    }
    assert lacking == asked
    assert set(lacking.values()) == {False, True}


def test_the_weight_of_files_is_by_message(cast: Cast) -> None:
    files = [File("a.txt", "text/plain", "one", 3), File("b.txt", "text/plain", "more of it", 10)]
    turn = posting.start(cast.member, cast.guide, "Read", client_id=uuid.uuid4(), files=files)
    assert turn.answer.parent_id is not None
    sizes = attached.weights([turn.answer.parent_id, turn.answer.pk])
    assert list(sizes) == [turn.answer.parent_id]
    expected: int = sum([size + size // 10 + OVERHEAD for size in (3, 10)])
    assert sizes[turn.answer.parent_id] == expected
    assert attached.weights([]) == {}


def test_how_a_conversation_stands(cast: Cast) -> None:
    turn = posting.start(cast.member, cast.guide, "Hello", client_id=uuid.uuid4())
    now = thread.standing(turn.conversation)
    assert (now.head, now.status, now.live) == (
        turn.answer.pk,
        "pending",
        (turn.generation.pk, turn.answer.pk),
    )
    end(turn)
    now = thread.standing(turn.conversation)
    assert (now.head, now.status, now.live) == (turn.answer.pk, "done", None)

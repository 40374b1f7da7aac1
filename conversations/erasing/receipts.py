"""The receipt of an erasure: what went and what had to stay, in numbers; and doing it again from receipts, where a
backup that is older than the erasure was put in place."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from conversations.erasing.asking import close, fingerprint
from conversations.models import Erasure
from conversations.posting import Refused

FORMAT = "erasure/1"
WHY = {
    "answers in the ledger": "What answers cost, in figures, by which the company settles. They name nobody.",
    "charges in the ledger": "What answers cost, in figures, by which budgets are kept. They name nobody.",
    "lines of readings of the person": "Who read what when has to be accounted for. The person goes by the pseudonym.",
    "lines of readings by the person": "Who read what when has to be accounted for. The person goes by the pseudonym.",
    "exports made": "What left the site has to be accounted for. The person goes by the pseudonym, the reason went.",
    "reviews": "Grades are the company’s figures. The words went; the person goes by the pseudonym.",
    "keys set": "Keys are the company’s own. Who set one goes by the pseudonym.",
    "labels given": "Labels are the company’s own words. The person goes by the pseudonym.",
    "versions of personas": "What a persona is told is the company’s. The person goes by the pseudonym.",
    "holds placed or lifted": "Who held what back has to be accounted for. The person goes by the pseudonym.",
    "reasons of others that named the person": "Others’ reasons are on the record. The pseudonym stands for the name.",
    "entries in histories": "Who changed what has to be accounted for. The person goes by the pseudonym.",
    "erasures asked for": "Receipts of others’ erasures. The person goes by the pseudonym.",
    "claims": "The entries of the queue are the company’s. Nobody has claimed them now.",
}


def receipt(erasure: Erasure) -> dict[str, Any]:
    """All that is kept of an erasure, for a file. There is nobody's text in it."""
    return {
        "format": FORMAT,
        "erasure": erasure.pk,
        "account": erasure.person_id,
        "fingerprint": erasure.fingerprint,
        "company": str(erasure.company_id) if erasure.company_id else None,
        "pseudonym": erasure.pseudonym,
        "asked_at": erasure.asked_at.isoformat(),
        "finished_at": erasure.finished_at.isoformat() if erasure.finished_at else None,
        "state": erasure.stage,
        "postponed": erasure.postponed,
        "gone": erasure.gone,
        "stays": [
            {"what": kind, "number": number, "why": WHY[kind]}
            for kind, number in sorted(erasure.stays.items())
        ],
    }


def again(receipts: list[dict[str, Any]]) -> tuple[list[Erasure], list[str]]:
    """Erase anew whom the receipts speak of, in a database that was restored from a time before.

    Gives back the erasures that are to be carried out, and a sentence for each receipt that needs none. Raises Refused
    for what is no receipt; then nothing was changed.
    """
    asked = [_read(each) for each in receipts]
    erasures, sentences = [], []
    for account, company, mark, number in asked:
        with transaction.atomic():
            person = User.objects.select_for_update().filter(pk=account).first()
            known = Erasure.objects.filter(person=account, company=company, fingerprint=mark).first()
            if known is not None and known.finished_at is not None:
                sentences.append(f"Erasure {number}: was done already.")
            elif known is not None:
                erasures.append(known)
            elif person is None or fingerprint(person) != mark:
                sentences.append(f"Erasure {number}: the account is not in this database.")
            else:
                erasure = Erasure(person=person, company_id=company, fingerprint=mark)
                erasure.save(force_insert=True)
                close(erasure)
                erasures.append(erasure)
    return erasures, sentences


def _read(found: dict[str, Any]) -> tuple[int, uuid.UUID | None, str, int]:
    try:
        if found["format"] != FORMAT:
            raise ValueError(found["format"])
        company = uuid.UUID(found["company"]) if found["company"] else None
        return int(found["account"]), company, str(found["fingerprint"]), int(found["erasure"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(
            f"This is no receipt of an erasure: {found!r}. Nothing was changed.", status=400
        ) from error

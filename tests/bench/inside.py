"""What has to be done with the product's own models and settings, in a process of its own: settings are read once.

`people NUMBER PASSWORD` makes members. `texts` reads ids of messages and gives back their texts, as JSON; `history`
measures pages on a history that is there.
"""

from __future__ import annotations

import json
import os
import sys

import django

from tests.bench import history

COMPANY = "Coca Cola"


def main() -> None:
    """One command, by the arguments."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsite.settings")
    django.setup()
    command, *arguments = sys.argv[1:]
    if command == "people":
        people(int(arguments[0]), arguments[1])
    elif command == "texts":
        print(json.dumps(texts(json.load(sys.stdin))))  # noqa: T201
    elif command == "history":
        print(json.dumps(history.measure()))  # noqa: T201


def people(number: int, password: str) -> None:
    """Make the members bench-0, bench-1 and so on, where they are not there yet."""
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    from conversations.models import Company, Membership

    company = Company.objects.get(name=COMPANY)
    hashed = make_password(password)
    for index in range(number):
        person, _ = User.objects.get_or_create(username=f"bench-{index}", defaults={"password": hashed})
        Membership.objects.get_or_create(
            user=person, company=company, defaults={"role": Membership.Role.MEMBER}
        )


def texts(ids: list[str]) -> dict[str, str]:
    """What is kept of answers, by the id of their message."""
    from conversations.models import Message

    return {str(pk): text for pk, text in Message.objects.filter(pk__in=ids).values_list("pk", "text")}


if __name__ == "__main__":
    main()

"""Who gets through which door: every address and the socket, as every demo account and as nobody.

The table is complete by construction: an address that is not in it fails the test. The addresses of the
administration have a table of their own, in `test_access_admin.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from chatsite.application import application
from conversations import attaching, sharing
from conversations.database import in_database
from conversations.models import Attachment, Folder, Generation, SharedLink
from tests.conftest import Cast
from tests.test_company_sign_in import kept
from tests.test_posting import end, start

EVERYBODY = ("member", "member2", "reviewer", "manager", "outsider", "admin", "nobody")
COCA_COLA = {"member", "member2", "reviewer", "manager"}
PATIENCE = 15.0  # seconds
SIGN_IN = 302  # to the sign-in page


@dataclass(frozen=True)
class Door:
    """One address: how it is asked, and what each person gets. `others` is for whom `answers` does not name."""

    method: str
    others: int
    answers: dict[str, int]
    data: dict[str, str]


def door(
    method: str = "GET", *, others: int = 404, data: dict[str, str] | None = None, **answers: int
) -> Door:
    return Door(method, others, {"nobody": SIGN_IN} | answers, data or {})


def open_to_all(status: int = 200, method: str = "GET") -> Door:
    return door(method, others=status, nobody=status)


# Owners' forms are sent without a text or a request id: 400 shows that the door opened, and nothing is started.
DOORS = {
    "start": door(others=200),
    "start_chat": door(
        "POST", data={"persona": "guide", "client_id": "new"}, **dict.fromkeys(COCA_COLA, 400)
    ),
    "chats": door(others=200),
    "palette": door(others=200),
    "preview": door("POST", others=400),  # of nothing
    "my_data": door(others=200),
    **dict.fromkeys(("chat_files", "all_chats"), door(others=200)),
    **dict.fromkeys(("one_chat", "share"), door(member=200)),
    "shared": door(member=200, member2=200, reviewer=200, manager=200),  # the others: as a guessed one
    "revoke": door("POST", member=302),
    "import": door(others=302),  # to the page of which it is a part
    **dict.fromkeys(
        ("import_piece", "import_cancel"), door("POST")
    ),  # of nothing: `test_importing.py` has the others
    "shared_after_sign_in": door(),  # without having asked for anything
    "order": door("POST", others=400),
    "folder": door("POST", member=400),
    "folder_menu": door(member=200),
    "chat_menu": door(member=200),
    "conversation": door(member=200),
    "send": door("POST", member=400),
    "stop": door("POST", member=200),
    "earlier": door(member=200),
    "later": door(),  # to nowhere: tests/test_thread.py has the others
    "edit": door(member=200),
    "regenerate": door("POST", member=400),
    "continue": door("POST", member=400),
    "switch": door("POST", member=200),
    **dict.fromkeys(("attachment", "attachment_file"), door(member=200)),
    "feedback": door("POST", member=302),
    "flag": door("POST", member=302),
    "theme": open_to_all(),
    **dict.fromkeys(("manifest", "worker", "offline"), open_to_all()),
    "words": open_to_all(),
    "speak": open_to_all(302, "POST"),
    "readyz": open_to_all(),
    "metrics": open_to_all(),  # from this machine: tests/test_metrics.py has the others
    "csp_report": open_to_all(400, "POST"),  # of nothing: tests/test_headers.py has the others
    "account_login": door(others=302, nobody=200),
    "account_logout": door("POST", others=302),
    **dict.fromkeys(("account", "mfa_index", "mfa_list_webauthn"), door(others=200)),
    "account_second_factor": door(others=302),  # to the account: nobody here has to set one up
    "account_sign_out_elsewhere": door("POST", others=302),
    "account_reauthenticate": door(others=200),
    **dict.fromkeys(
        ("mfa_reauthenticate", "mfa_reauthenticate_webauthn"), door(others=302)
    ),  # to the password
    "mfa_authenticate": open_to_all(302),  # to the sign-in page, or on
    "mfa_login_webauthn": open_to_all(302),
    # To where one proves again who one is. Who has just done that is in `test_factors.py`.
    **dict.fromkeys(
        ("mfa_activate_totp", "mfa_add_webauthn", "mfa_generate_recovery_codes"), door(others=302)
    ),
    # Of a factor: nobody here has one, and somebody else's is as absent as one that is not.
    "mfa_deactivate_totp": door(others=404),
    "mfa_view_recovery_codes": door(others=404),
    **dict.fromkeys(("mfa_edit_webauthn", "mfa_remove_webauthn"), door(others=302)),
    "company_sign_in": open_to_all(),
    "company_sign_in_callback": open_to_all(403),  # without a state
    "invitation": open_to_all(404),  # guessed; those that lead somewhere are in `test_invitations.py`
    "new_password": open_to_all(404),
    "password_change": door(others=200),
    "password_change_done": door(others=200),
}


def addresses(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[tuple[str, str]]:
    """Every (namespace, name) of the URLconf."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, pattern.namespace or namespace)
        else:
            yield namespace, pattern.name or str(pattern.pattern)


def sign_in(client: Client, cast: Cast, who: str) -> None:
    if who != "nobody":
        client.force_login(getattr(cast, who))


def test_every_address_is_in_the_table() -> None:
    names = {name for namespace, name in addresses(get_resolver().url_patterns) if not namespace}
    assert names == set(DOORS)


def test_every_door_as_everybody(live_cast: Cast) -> None:
    turn = start(live_cast)
    end(turn)
    chat: dict[str, object] = {"conversation_id": turn.conversation.pk, "message_id": turn.answer.pk}
    arguments = chat | {"folder_id": Folder.objects.create(owner=live_cast.member, name="Mine").pk}
    wrong = []
    provider = kept(
        "x",
        company=live_cast.coca_cola,
        issuer="http://127.0.0.1:9",
        client_id="chat",
    )
    question = turn.answer.parent
    assert question is not None
    (file,) = Attachment.objects.bulk_create(attaching.rows(question, [attaching.made("a.txt", "words")]))
    passkey = Authenticator.objects.create(
        user=User.objects.create_user("somebody"), type="webauthn", data={"name": "Key"}
    )
    token = sharing.share(turn.conversation, days=7)
    further: dict[str, dict[str, object]] = {
        "shared": {"token": token},
        "import_piece": {"number": 0},
        "revoke": {"link_id": SharedLink.objects.get().pk},
        "theme": {"code": "e4002b"},
        "words": {"language": "de"},
        **{
            key: {"conversation_id": turn.conversation.pk, "attachment_id": file.pk}
            for key in ("attachment", "attachment_file")
        },
        **{key: {"form": "markdown"} for key in ("all_chats", "one_chat")},
        **{key: {"sign_in_id": provider.pk} for key in ("company_sign_in", "company_sign_in_callback")},
        **{key: {"token": "guessed"} for key in ("invitation", "new_password")},
        **{key: {"pk": passkey.pk} for key in ("mfa_edit_webauthn", "mfa_remove_webauthn")},
    }
    for name, opened in DOORS.items():
        for who in EVERYBODY:
            client = Client()
            sign_in(client, live_cast, who)
            needed = {
                "conversation": ["conversation_id"],
                "send": ["conversation_id"],
                "stop": ["conversation_id"],
                "chat_menu": ["conversation_id"],
                "one_chat": ["conversation_id"],
                "share": ["conversation_id"],
                "folder": ["folder_id"],
                "folder_menu": ["folder_id"],
            }.get(
                name,
                list(chat)
                if name
                in {"earlier", "later", "edit", "regenerate", "continue", "switch", "feedback", "flag"}
                else [],
            )
            given: dict[str, object] = {key: arguments[key] for key in needed} | further.get(name, {})
            if name == "edit":
                given["message_id"] = turn.answer.parent_id
            data = {
                key: {"guide": str(live_cast.guide.pk), "new": str(uuid.uuid4())}[value]
                for key, value in opened.data.items()
            }
            response = client.generic(
                opened.method,
                reverse(name, kwargs=given),
                "&".join(f"{key}={value}" for key, value in data.items()),
                content_type="application/x-www-form-urlencoded",
            )
            response.close()  # of files one is handed out at a time
            expected = opened.answers.get(who, opened.others)
            if response.status_code != expected:
                wrong.append(f"{name} as {who}: {response.status_code}, not {expected}")
    assert wrong == []


def test_foreign_and_absent_are_the_same(live_cast: Cast) -> None:
    turn = start(live_cast)
    end(turn)
    client = Client()
    client.force_login(live_cast.outsider)
    for name in ("conversation", "send", "stop"):
        bodies = set()
        for pk in (turn.conversation.pk, uuid.uuid4()):
            response = client.generic("GET" if name == "conversation" else "POST", reverse(name, args=[pk]))
            bodies.add((response.status_code, response.content.decode().replace(str(pk), "")))
        assert len(bodies) == 1, name


def test_messages_are_reached_through_their_own_conversation_only(live_cast: Cast) -> None:
    first, second = start(live_cast), start(live_cast)
    end(first)
    end(second)
    client = Client()
    client.force_login(live_cast.member)
    response = client.post(reverse("switch", args=[first.conversation.pk, second.answer.pk]))
    assert response.status_code == 404


def test_nothing_of_the_other_company_is_listed_or_found(live_cast: Cast) -> None:
    end(start(live_cast, "canary of Coca Cola"), text="canary too")
    for who in ("member2", "reviewer", "manager", "outsider", "admin"):
        client = Client()
        sign_in(client, live_cast, who)
        for address in ("/", "/chats/", "/chats/?q=canary"):
            page = client.get(address).content.decode()
            assert "canary of" not in page, (who, address)
            assert ("Coca Cola guide" in page) is (address == "/" and who in COCA_COLA), (who, address)
            assert "You are an assistant for the company" not in page


def test_leaving_a_company_closes_its_chats(live_cast: Cast) -> None:
    turn = start(live_cast)
    end(turn)
    client = Client()
    client.force_login(live_cast.member)
    address = reverse("conversation", args=[turn.conversation.pk])
    assert client.get(address).status_code == 200
    live_cast.member.memberships.all().delete()
    assert client.get(address).status_code == 404
    assert turn.conversation.title not in client.get("/").content.decode()


# -- The socket -------------------------------------------------------------------------------------


def cookie_of(person: User | None) -> str:
    client = Client()
    if person is not None:
        client.force_login(person)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


class Tab(WebsocketCommunicator):  # type: ignore[misc]
    """A page's socket, which waits for as long as a busy machine may take."""

    async def connect(self, within: float = PATIENCE) -> Any:
        return await super().connect(within)

    async def receive_output(self, within: float = PATIENCE) -> Any:
        return await super().receive_output(within)

    async def receive_from(self, within: float = PATIENCE) -> Any:
        return await super().receive_from(within)


def socket(
    path: str, cookie: str, origin: str = "http://testserver", host: str = "testserver"
) -> WebsocketCommunicator:
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    if origin:
        headers.append((b"origin", origin.encode()))
    return Tab(application, path, headers=headers)


async def opens(communicator: WebsocketCommunicator) -> bool:
    connected, _ = await communicator.connect()
    await communicator.disconnect()
    return bool(connected)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_the_socket_opens_for_its_owner_only(live_cast: Cast, who: str) -> None:
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    cookie = await in_database(cookie_of, None if who == "nobody" else getattr(live_cast, who))
    assert await opens(socket(f"/ws/c/{turn.conversation.pk}/", cookie)) is (who == "member")
    assert not await opens(socket(f"/ws/c/{uuid.uuid4()}/", cookie))
    assert not await opens(socket("/ws/elsewhere/", cookie))


@pytest.mark.parametrize(
    ("origin", "host", "opened"),
    [
        ("http://testserver", "testserver", True),
        ("http://testserver:8000", "testserver:8000", True),
        ("https://chat.example.com", "testserver", True),
        ("http://testserver:8001", "testserver:8000", False),
        ("https://testserver", "testserver", False),
        ("http://evil.example", "testserver", False),
        ("http://evil.example", "evil.example", False),
        ("null", "testserver", False),
        ("", "testserver", False),
    ],
)
async def test_the_socket_opens_from_our_own_pages_only(
    live_cast: Cast, settings: Settings, origin: str, host: str, opened: bool
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://chat.example.com"]
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    cookie = await in_database(cookie_of, live_cast.member)
    assert await opens(socket(f"/ws/c/{turn.conversation.pk}/", cookie, origin, host)) is opened


@pytest.mark.parametrize(
    "frame",
    ["{", "[]", "null", '{"follow": 5}', '{"follow": "x"}', "[" * 60_000, '{"follow": ' + "9" * 5_000 + "}"],
)
async def test_a_malformed_frame_is_ignored(live_cast: Cast, frame: str) -> None:
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    cookie = await in_database(cookie_of, live_cast.member)
    communicator = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data=frame)
    await communicator.send_to(bytes_data=b"\xff\x00")
    await communicator.send_to(text_data=f'{{"follow": "{uuid.uuid4()}"}}')  # nobody's
    await communicator.send_to(text_data=f'{{"follow": "{turn.generation.pk}"}}')
    assert f"text-{turn.answer.pk}" in await communicator.receive_from()
    await communicator.disconnect()


async def test_an_answer_of_another_chat_is_not_shown(live_cast: Cast) -> None:
    mine, other = await in_database(start, live_cast), await in_database(start, live_cast)
    await in_database(end, mine)
    await in_database(end, other)
    cookie = await in_database(cookie_of, live_cast.member)
    communicator = socket(f"/ws/c/{mine.conversation.pk}/", cookie)
    assert (await communicator.connect())[0]
    await communicator.send_to(text_data=f'{{"follow": "{other.generation.pk}"}}')
    await communicator.send_to(text_data=f'{{"follow": "{mine.generation.pk}"}}')
    assert f"text-{mine.answer.pk}" in await communicator.receive_from()
    assert await communicator.receive_nothing()
    await communicator.disconnect()


async def test_a_socket_does_not_outlive_the_right_to_it(live_cast: Cast) -> None:
    turn = await in_database(start, live_cast)
    await in_database(end, turn)
    cookie = await in_database(cookie_of, live_cast.member)
    communicator = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await communicator.connect())[0]
    await in_database(User.objects.filter(pk=live_cast.member.pk).update, is_active=False)
    await communicator.send_to(text_data=f'{{"follow": "{turn.generation.pk}"}}')
    message = await communicator.receive_output()
    assert message == {"type": "websocket.close", "code": 4401}
    assert await in_database(Generation.objects.count) == 1

"""What lies between the doors: every way to ask each address, queries that name foreign rows, sockets and exports.

`test_access.py` and `test_access_admin.py` hold who gets through which door. Here it is held that no way to ask tells
more than the one that is meant, and that what is foreign cannot be told from what is absent: the same status, the
same bytes but for the id, as many queries.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conversations import attaching
from conversations.database import in_database
from conversations.exports.making import make
from conversations.finding import Filters
from conversations.models import (
    AnswerRecord,
    Attachment,
    Conversation,
    Export,
    Generation,
    Label,
    Membership,
    Message,
    PersonaVersion,
    QueueEntry,
    Reading,
    Rule,
)
from conversations.reading import Sitting
from tests.answers import ended
from tests.conftest import Cast
from tests.exporting import data_url, received
from tests.test_access import DOORS, EVERYBODY, cookie_of, sign_in, socket
from tests.test_access_admin import (
    ABSENT,
    CANARY,
    FOREIGN,
    OURS,
    all_of,
    assert_same,
    crowd,
    mirrored,
    sit,
    steady,
)

__all__ = ["crowd"]  # the fixture

# -- Every way to ask each address ---------------------------------------------------------------------

WHO = re.compile(r'FROM "(django_session|auth_user)"')
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE, FORM, BOTH, FETCHED = {"GET", "HEAD"}, {"POST"}, {"GET", "HEAD", "POST"}, {"GET"}
ANY = set(METHODS)
THEIRS = (
    *("account_login", "account_reauthenticate", "company_sign_in", "password_change"),
    *("password_change_done", "mfa_activate_totp", "mfa_add_webauthn", "mfa_authenticate"),
    *("mfa_deactivate_totp", "mfa_edit_webauthn", "mfa_generate_recovery_codes", "mfa_login_webauthn"),
    *("mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_view_recovery_codes"),
)
# What each address takes; the rest is refused, whoever asks and whatever for, before anything is looked up.
TAKES: dict[str, set[str]] = {
    **dict.fromkeys(("start", "chats", "palette", "conversation", "theme", "readyz", "metrics"), SAFE),
    **dict.fromkeys(("manifest", "worker", "offline", "words"), SAFE),
    **dict.fromkeys(
        ("start_chat", "send", "stop", "regenerate", "continue", "switch", "feedback", "flag"), FORM
    ),
    **dict.fromkeys(("earlier", "later", "attachment", "attachment_file"), SAFE),
    "edit": BOTH,
    **dict.fromkeys(("account", "mfa_index", "mfa_list_webauthn", "account_second_factor"), SAFE),
    **dict.fromkeys(("chat_menu", "folder_menu"), SAFE),
    **dict.fromkeys(("order", "folder", "preview"), FORM),
    **dict.fromkeys(("csp_report", "account_sign_out_elsewhere", "speak"), FORM),
    **dict.fromkeys(("invitation", "new_password", "edit"), BOTH),
    **dict.fromkeys(("my_data", "all_chats", "one_chat"), FETCHED),
    **dict.fromkeys(("chat_files", "shared", "shared_after_sign_in"), SAFE),
    **dict.fromkeys(("share", "import"), BOTH),
    **dict.fromkeys(("import_piece", "import_cancel"), FORM),
    "revoke": FORM,
    "company_sign_in_callback": SAFE,
    # Libraries' own forms take whatever does nothing, and tell everybody which methods they take.
    "account_logout": FORM | {"OPTIONS"},
    **dict.fromkeys(THEIRS, ANY),
}
WORDS = {
    "theme": "e4002b",
    "words": "de",
    "all_chats": "html",
    "invitation": "guessed",
    "new_password": "guessed",
    "shared": "guessed",
} | dict.fromkeys(("company_sign_in", "company_sign_in_callback"), uuid.UUID(int=7))
BY_NUMBER = ("mfa_edit_webauthn", "mfa_remove_webauthn", "folder", "folder_menu", "revoke", "import_piece")
BEHIND = {"one_chat": "html"}  # what an address has behind its ids
IN_ADDRESS = {
    "conversation": 1,
    "chat_menu": 1,
    "one_chat": 1,
    "share": 1,
    "send": 1,
    "stop": 1,
} | dict.fromkeys(
    (
        *("earlier", "later", "edit", "regenerate", "continue", "switch", "feedback", "flag"),
        *("attachment", "attachment_file"),
    ),
    2,
)


def address_of(name: str, *ids: object) -> str:
    """An address of the table with those ids, as far as it has any."""
    fixed = {**WORDS, **dict.fromkeys(BY_NUMBER, 7)}
    further = [BEHIND[name]] if name in BEHIND else []
    return reverse(name, args=[fixed[name]] if name in fixed else [*ids[: IN_ADDRESS.get(name, 0)], *further])


def test_every_address_says_how_it_may_be_asked() -> None:
    assert set(TAKES) == set(DOORS)


@pytest.mark.parametrize("who", ["member2", "outsider", "nobody"])
def test_every_way_to_ask_each_door(crowd: Cast, who: str) -> None:
    """Somebody's rows, asked for by others: of the same company, of another, of none."""
    theirs = Conversation.objects.get(owner=crowd.member)
    answer = Message.objects.get(conversation=theirs, role="assistant")
    assert answer.parent is not None
    (file,) = Attachment.objects.bulk_create(attaching.rows(answer.parent, [attaching.made(CANARY, CANARY)]))
    absent = uuid.UUID(int=7)
    before = theirs.messages.count(), Generation.objects.count()
    client = Client()
    sign_in(client, crowd, who)
    for name in DOORS:
        if name in {"account_logout", "account_sign_out_elsewhere"}:
            continue
        for method in METHODS:
            told: dict[tuple[int, str, int], object] = {}
            inner = file.pk if name.startswith("attachment") else answer.pk
            for ids in ((theirs.pk, inner), (theirs.pk, absent), (absent, inner), (absent, absent)):
                address = address_of(name, *ids)
                with CaptureQueriesContext(connection) as asked:
                    response = client.generic(
                        method, address, "text=x", content_type="application/x-www-form-urlencoded"
                    )
                said = steady(all_of(response), *ids)
                if method not in TAKES[name]:
                    assert response.status_code == 405, (name, method)
                    # Who asks, and nothing else.
                    told_of = [each["sql"] for each in asked.captured_queries if not WHO.search(each["sql"])]
                    assert told_of == [], (name, method)
                elif name in IN_ADDRESS:
                    assert response.status_code == (302 if who == "nobody" else 404), (name, method)
                assert not any(
                    word in said for word in (CANARY, OURS[0]) if who != "outsider" or word != CANARY
                )
                if name in IN_ADDRESS:
                    told[response.status_code, said, len(asked)] = ids
            assert_same(told, name, method)
    assert (theirs.messages.count(), Generation.objects.count()) == before


def test_what_is_asked_by_head_has_no_body(crowd: Cast) -> None:
    theirs = Conversation.objects.get(owner=crowd.member)
    client = Client()
    client.force_login(crowd.member)
    for name in ("start", "chats", "palette", "conversation"):
        response = client.head(address_of(name, theirs.pk))
        assert (response.status_code, response.content) == (200, b""), name


def test_a_page_that_says_where_it_is_learns_nothing(crowd: Cast) -> None:
    """The headers of htmx are the client's: what they name is looked up for nobody."""
    theirs = Conversation.objects.get(owner=crowd.member)
    told: dict[tuple[int, str, int], object] = {}
    client = Client()
    client.force_login(crowd.outsider)
    for pk in (theirs.pk, uuid.UUID(int=7)):
        headers = {
            "HX-Request": "true",
            "HX-Current-URL": f"http://testserver/c/{pk}/",
            "HX-Target": f"message-{pk}",
            "HX-Trigger": f"message-{pk}",
        }
        with CaptureQueriesContext(connection) as asked:
            response = client.get(reverse("chats"), headers=headers)
        told[response.status_code, steady(all_of(response)), len(asked)] = pk
        assert OURS[0] not in all_of(response)
    assert_same(told)


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/../secret-key",
        "/static/%2e%2e/secret-key",
        "/static/..%2fsecret-key",
        "/static/css/../../secret-key",
        "/static//etc/passwd",
        "/static/css/base.css/../../../manage.py",
        "/healthz/../admin/",
        "/metrics/",
        "/.git/config",
        "/var/chat.sqlite3",
    ],
)
def test_no_file_is_served_but_the_static_ones(crowd: Cast, path: str) -> None:
    for who in ("nobody", "member", "admin"):
        client = Client()
        sign_in(client, crowd, who)
        response = client.get(path)
        assert response.status_code == 404
        assert not any(word in all_of(response) for word in (CANARY, OURS[0]))


# -- Queries that name foreign rows --------------------------------------------------------------------


def questions(cast: Cast) -> Iterator[tuple[str, str, object, object]]:
    """A door, what is asked of it, a row of the other company and one that is absent."""
    theirs = {"company": cast.globex}
    conversation = Conversation.objects.get(owner=cast.outsider)
    message = Message.objects.filter(conversation=conversation).first()
    label = Label.objects.filter(**theirs).values_list("pk", flat=True).first()
    rule = Rule.objects.filter(**theirs).values_list("pk", flat=True).first()
    version = PersonaVersion.objects.filter(persona=cast.helpdesk).values_list("pk", flat=True).first()
    assert message is not None
    filters = {"persona": cast.helpdesk.pk, "version": version, "label": label, "rule": rule}
    for name, pk in filters.items():
        absent = ABSENT["uuid" if name == "persona" else "pk"]
        for door in ("answers", "exports"):
            yield reverse(f"admin:review_{door}", args=[cast.coca_cola.pk]), name, pk, absent
    own = Conversation.objects.get(owner=cast.member)
    for name, pk in {"head": message.pk, "persona": cast.helpdesk.pk}.items():
        yield (
            reverse("admin:review_conversation", args=[cast.coca_cola.pk, own.pk]),
            name,
            pk,
            ABSENT["uuid"],
        )
    for name in ("left", "right"):
        address = reverse("admin:conversations_persona_compare", args=[cast.guide.pk])
        yield address, name, version, ABSENT["pk"]
    yield reverse("admin:conversations_persona_try", args=[cast.guide.pk]), "version", version, ABSENT["pk"]
    studio = reverse("admin:conversations_persona_change", args=[cast.guide.pk])
    yield studio, "discarded", version, ABSENT["pk"]
    yield reverse("admin:conversations_persona_add"), "company", cast.globex.pk, ABSENT["uuid"]
    people = reverse("admin:conversations_membership_changelist")
    listed = reverse("admin:conversations_persona_changelist")
    place = Membership.objects.get(user=cast.outsider)
    for address in (people, listed):
        for field in ("company", "company__id__exact", "company__id", "company__in"):
            yield address, field, cast.globex.pk, ABSENT["uuid"]
    for field in ("user", "user__id__exact", "id", "pk"):
        yield people, field, place.user_id if "user" in field else place.pk, ABSENT["pk"]
    for field in ("id", "current", "draft", "versions", "conversations", "conversations__owner"):
        named = {
            "id": cast.helpdesk.pk,
            "conversations": conversation.pk,
            "conversations__owner": cast.outsider.pk,
        }
        number = field in {"current", "draft", "versions", "conversations__owner"}
        yield listed, field, named.get(field, version), ABSENT["pk" if number else "uuid"]
    yield reverse("start"), "persona", cast.helpdesk.pk, ABSENT["uuid"]


@pytest.mark.parametrize("who", ["manager", "reviewer"])
def test_a_foreign_row_in_a_query_is_as_an_absent_one(crowd: Cast, who: str) -> None:
    client = Client()
    sign_in(client, crowd, who)
    sit(client, crowd)
    for address, name, foreign, absent in questions(crowd):
        told: dict[tuple[int, str, int], object] = {}
        for pk in (foreign, absent):
            with CaptureQueriesContext(connection) as asked:
                response = client.get(f"{address}?{name}={pk}")
            said = all_of(response)
            assert response.status_code in {200, 302, 400, 403, 404}, (address, name)
            assert not any(word in said.replace(str(pk), "") for word in FOREIGN), (address, name)
            told[response.status_code, steady(said, pk), len(asked)] = pk
        assert_same(told, address, name)


@pytest.mark.parametrize("side", ["Coca Cola", "Globex"])
def test_no_place_or_order_in_a_list_shows_foreign_rows(crowd: Cast, side: str) -> None:
    """Where a list goes on is told by ids and times, which are everybody's; so are orders, popups and fields."""
    cast, words = (crowd, FOREIGN) if side == "Coca Cola" else (mirrored(crowd), OURS)
    theirs = {"company": cast.globex}
    record = AnswerRecord.objects.get(**theirs)
    entry = QueueEntry.objects.get(**theirs)
    seen = Reading.objects.filter(**theirs).values_list("pk", flat=True)[0]
    export = Export.objects.get(company=cast.coca_cola)
    cursor = f"{entry.opened_at.isoformat()}~{entry.pk}".replace("+", "%2B")
    around = {"answers": ("before", "after"), "exports": ("page",), "readings": ("before",)}
    asked = [
        *(
            (f"review_{page}", f"{name}={place}")
            for page, names in around.items()
            for name in names
            for place in (record.pk, record.pk + 1, seen, seen + 1, 2**62, -1, "x")
        ),
        *(("review_queue", f"tab={tab}&after={cursor}") for tab in ("waiting", "mine", "all", "done")),
        *(("review_answers", f"text={word}") for word in words),
        *(
            ("review_usage", f"by={by}&days=all&from=1970-01-01&to=2999-01-01")
            for by in ("day", "person", "persona")
        ),
    ]
    pages = [f"{reverse(f'admin:{name}', args=[cast.coca_cola.pk])}?{query}" for name, query in asked]
    pages += [f"{data_url(export)}?after={record.pk - 1}"]
    for model in ("persona", "membership"):
        listed = reverse(f"admin:conversations_{model}_changelist")
        for query in (
            "_popup=1",
            "_to_field=id",
            "_to_field=name",
            "_to_field=company",
            "o=99",
            "o=-1.-2",
            "all=",
            "p=-1",
        ):
            pages += [f"{listed}?{query}"]
    for who in ("manager", "reviewer"):
        client = Client()
        sign_in(client, cast, who)
        sit(client, cast)
        for address in pages:
            response = client.get(address, follow=not address.startswith(data_url(export)))
            said = all_of(response)
            for word in words:
                said = (
                    said.replace(f"text={word}", "").replace(f'value="{word}"', "").replace(f"“{word}”", "")
                )
            assert not any(word in said for word in words), (who, address)


# -- Exports -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Export.Kind)
def test_an_export_holds_its_own_company_alone(crowd: Cast, kind: Export.Kind) -> None:
    other = mirrored(crowd)
    for cast, own, foreign in ((crowd, OURS[0], CANARY), (other, CANARY, OURS[0])):
        sitting = Sitting(uuid.uuid4(), cast.manager, cast.coca_cola, "to compare")
        export = make(sitting, kind, Filters())
        client = Client()
        client.force_login(cast.manager)
        sit(client, cast)
        response = client.get(data_url(export))
        data = received(response).decode()
        manifest = all_of(client.get(data_url(export, "review_export_manifest")))
        assert own in data or kind in Export.TUNING  # which need more than one review of one answer
        for said in (data, manifest, str(response.headers)):
            assert foreign not in said
        stranger = Client()
        stranger.force_login((other if cast is crowd else crowd).manager)
        sit(stranger, cast)
        assert stranger.get(data_url(export)).status_code == 404


# -- Sockets -------------------------------------------------------------------------------------------


async def handshake(path: str, cookie: str) -> object:
    """What a socket that is asked for is answered, as the server is told it."""
    communicator = socket(path, cookie)
    await communicator.send_input({"type": "websocket.connect"})
    answered = await communicator.receive_output(5)
    await communicator.disconnect()
    return json.dumps(answered, sort_keys=True)


@pytest.mark.parametrize("who", EVERYBODY)
async def test_a_foreign_socket_is_refused_as_an_absent_one(crowd: Cast, who: str) -> None:
    rows = await in_database(lambda: dict(Conversation.objects.values_list("pk", "owner_id")))
    person: User | None = None if who == "nobody" else getattr(crowd, who)
    cookie = await in_database(cookie_of, person)
    foreign = [pk for pk, owner in rows.items() if person is None or owner != person.pk]
    assert foreign
    told = {
        await handshake(f"/ws/c/{pk}/{query}", cookie)
        for pk in (*foreign, uuid.uuid4())
        for query in ("", "?state=x")
    }
    assert told == {'{"type": "websocket.close"}'}


GARBAGE = (
    *(" ", "{", "null", "[]", '"follow"', '{"follow": null}', '{"follow": []}', '{"follow": {"follow": 1}}'),
    *(
        '{"taken": -1}',
        '{"taken": 0}',
        '{"taken": 1e9}',
        '{"taken": true}',
        '{"taken": "1"}',
        '{"taken": null}',
    ),
    *(f'{{"taken": {2**70}}}', '{"taken": 999999999}', '{"subscribe": "*"}', '{"type": "turn_added"}'),
    *(
        '{"type": "websocket.close"}',
        '{"follow": "\\u0000"}',
        '{"conversation": "x", "follow": "y"}',
        "\ud7ff\x00",
    ),
)


async def frames_of(communicator: WebsocketCommunicator, until: str) -> str:
    """What a socket says, up to a frame that holds `until`."""
    said = ""
    while until not in said:
        said += await communicator.receive_from(5)
    return said


@pytest.mark.parametrize("who", ["member", "outsider"])
async def test_no_command_reaches_anybody_elses_answer(crowd: Cast, who: str) -> None:
    """The owner of a chat, on its socket, asks for what is not of it: foreign, a colleague's, of their other chat."""

    def rows() -> tuple[Generation, list[uuid.UUID]]:
        for owner in (crowd.member, crowd.member2):
            ended(crowd, "zqelsewhere", question="zqelsewhere", by=owner)
        ended(crowd, "zqelsewhere", question="zqelsewhere", by=crowd.outsider, persona=crowd.helpdesk)
        own = Generation.objects.filter(conversation__owner=getattr(crowd, who)).order_by("pk")
        mine = own.exclude(message__text="zqelsewhere").get()
        return mine, list(Generation.objects.exclude(pk=mine.pk).values_list("pk", flat=True))

    mine, others = await in_database(rows)
    cookie = await in_database(cookie_of, getattr(crowd, who))
    page = socket(f"/ws/c/{mine.conversation_id}/?state=stale", cookie)
    assert (await page.connect())[0]
    for frame in GARBAGE:
        await page.send_to(text_data=frame)
    said = ""
    for pk in (*others, uuid.uuid4(), mine.conversation_id, mine.message_id):
        await page.send_to(text_data=json.dumps({"follow": str(pk)}))
    await page.send_to(text_data=json.dumps({"follow": str(mine.pk)}))
    said += await frames_of(page, f'id="foot-{mine.message_id}"')
    assert "zqelsewhere" not in said
    assert (OURS[0] if who == "outsider" else CANARY) not in said
    assert (CANARY if who == "outsider" else OURS[0]) in said
    await page.disconnect()


def test_every_command_of_the_socket_is_tried() -> None:
    """What a page may say stands in one place; a command that is new there has to be asked for above."""
    import ast
    import inspect
    import textwrap

    from conversations import hearing

    tree = ast.parse(textwrap.dedent(inspect.getsource(hearing)))
    read: set[Any] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            read |= {each.value for each in node.args if isinstance(each, ast.Constant)}
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            read.add(node.slice.value)
    assert {each for each in read if isinstance(each, str)} == {"follow", "taken"}

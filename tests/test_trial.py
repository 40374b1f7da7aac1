"""Trials of a persona: answered by the very version, seen by nobody else and in no list."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from conversations import access, feedback, personas, posting, thread
from conversations.access import NotVisible
from conversations.database import in_database
from conversations.models import Conversation, Generation, Membership, Persona, PersonaVersion
from conversations.posting import Refused
from tests.conftest import Cast
from tests.races import at_once
from tests.test_access import cookie_of, opens, socket
from tests.test_pages import HTMX
from tests.test_posting import end, reload

SECRET = "Answer in rhymes."


def draft(cast: Cast, prompt: str = SECRET) -> PersonaVersion:
    """A draft of the guide, saved by its manager."""
    persona = Persona.objects.select_related("current__endpoint").get(pk=cast.guide.pk)
    assert persona.current is not None
    version = personas.copy(persona.current)
    version.system_prompt = prompt
    saved = personas.save_draft(persona, version, by=cast.manager)
    assert saved is not None
    return saved


def trial(cast: Cast, text: str = "Who are you?", *, by: User | None = None) -> posting.Turn:
    """A trial of a new draft, its first answer ended."""
    turn = posting.try_(by or cast.manager, draft(cast), text, client_id=uuid.uuid4())
    end(turn)
    return turn


def client_of(person: User) -> Client:
    client = Client(headers=HTMX)
    client.force_login(person)
    return client


def try_page(persona: Persona) -> str:
    return reverse("admin:conversations_persona_try", args=[persona.pk])


def doors(turn: posting.Turn) -> list[tuple[str, str]]:
    """Every address of a trial, with the method that opens it."""
    pk, answer = turn.conversation.pk, turn.answer.pk
    return [
        ("GET", reverse("conversation", args=[pk])),
        *(("POST", reverse(name, args=[pk])) for name in ("send", "stop")),
        ("GET", reverse("edit", args=[pk, turn.answer.parent_id])),
        *(
            ("POST", reverse(name, args=[pk, answer]))
            for name in ("regenerate", "continue", "switch", "feedback")
        ),
    ]


def test_the_draft_answers_a_trial_and_nobody_else(cast: Cast) -> None:
    turn = trial(cast)
    assert turn.generation.version.system_prompt == SECRET
    assert turn.generation.requested_by == cast.manager  # counted in usage like any answer
    assert turn.conversation.trial == turn.generation.version
    persona = Persona.objects.get(pk=cast.guide.pk)
    chat = posting.start(cast.member, persona, "Who are you?", client_id=uuid.uuid4())
    assert chat.generation.version == cast.guide.current


def test_a_trial_keeps_its_version_whatever_is_saved_later(cast: Cast) -> None:
    turn = trial(cast)
    draft(cast, "Answer in prose.")
    Persona.objects.filter(pk=cast.guide.pk).update(published=False, current=None)
    conversation = access.conversation(cast.manager, turn.conversation.pk)
    made = posting.post(cast.manager, conversation, "Once more", client_id=uuid.uuid4())
    end(made, Generation.Status.STOPPED, text="Half an")
    verbs: list[Callable[..., posting.Turn]] = [posting.regenerate, posting.continue_]
    for verb in verbs:
        again = verb(cast.manager, access.message(conversation, made.answer.pk), client_id=uuid.uuid4())
        end(again)
        assert again.generation.version == turn.generation.version
    question = access.message(conversation, uuid.UUID(str(made.answer.parent_id)))
    edited = posting.edit(cast.manager, question, "In other words", client_id=uuid.uuid4())
    assert edited.generation.version.system_prompt == SECRET
    end(edited)
    shown = thread.thread(conversation).turns
    assert shown[-1].can_regenerate
    assert shown[-2].can_edit


def test_what_was_never_published_can_be_tried_but_not_asked(cast: Cast) -> None:
    saved = draft(cast)
    Persona.objects.filter(pk=cast.guide.pk).update(published=False, current=None)
    saved.persona.refresh_from_db()
    assert posting.try_(cast.manager, saved, "Hello", client_id=uuid.uuid4()).created
    with pytest.raises(Refused):
        posting.start(cast.manager, saved.persona, "Hello", client_id=uuid.uuid4())


def test_a_trial_stands_in_no_list_and_is_found_by_no_search(cast: Cast) -> None:
    turn = trial(cast, "zqwords of a trial")
    for who in (cast.manager, cast.member, cast.reviewer, cast.admin, cast.outsider):
        client = client_of(who)
        for address in ("/", "/chats/", "/chats/?q=zqwords"):
            assert "zqwords of" not in client.get(address).content.decode()
        assert not access.conversations(who).exists()
    assert access.conversation(cast.manager, turn.conversation.pk).trial_id


def test_a_trial_is_its_owners_alone(live_cast: Cast) -> None:
    turn = trial(live_cast)
    second = User.objects.create_user("manager2")
    Membership.objects.create(user=second, company=live_cast.coca_cola, role="manager")
    for who in (second, live_cast.member, live_cast.reviewer, live_cast.outsider, live_cast.admin):
        client = client_of(who)
        for method, address in doors(turn):
            assert client.generic(method, address).status_code == 404, (who, address)
    own = client_of(live_cast.manager)
    for method, address in doors(turn):
        assert own.generic(method, address).status_code in {200, 400, 409}, address


@pytest.mark.parametrize("role", ["member", "reviewer", None])
def test_a_trial_ends_with_the_right_to_the_persona(cast: Cast, role: str | None) -> None:
    turn = trial(cast)
    client = client_of(cast.manager)
    place = cast.manager.memberships.get()
    if role:
        cast.manager.memberships.update(role=role)
    else:
        place.delete()
    for method, address in doors(turn):
        assert client.generic(method, address).status_code == 404, address
    with pytest.raises(NotVisible):
        access.conversation(cast.manager, turn.conversation.pk)


def test_operators_try_every_persona_without_belonging_to_its_company(cast: Cast) -> None:
    turn = trial(cast, by=cast.admin)
    assert client_of(cast.admin).get(doors(turn)[0][1]).status_code == 200
    assert client_of(cast.manager).get(doors(turn)[0][1]).status_code == 404


@pytest.mark.parametrize("who", ["member", "member2", "reviewer", "outsider"])
def test_those_who_manage_nothing_here_make_no_trial(cast: Cast, who: str) -> None:
    saved = draft(cast)
    sent = {"text": "Hello", "client_id": str(uuid.uuid4())}
    answer = client_of(getattr(cast, who)).post(f"{try_page(cast.guide)}?version={saved.pk}", sent)
    assert answer.status_code in {403, 404}
    assert not Conversation.objects.exists()


def test_of_another_persona_no_version_is_tried(cast: Cast) -> None:
    client = client_of(cast.manager)
    foreign = cast.helpdesk.current_id
    for wrong in (foreign, cast.historian.current_id, 0, "", "draft", "²", "9" * 30):
        sent = {"text": "Hello", "client_id": str(uuid.uuid4())}
        assert client.post(f"{try_page(cast.guide)}?version={wrong}", sent).status_code == 404
    assert not Conversation.objects.exists()


def test_the_same_first_question_twice_is_one_trial(live_cast: Cast) -> None:
    saved, client_id = draft(live_cast), uuid.uuid4()

    def attempt() -> posting.Turn:
        return posting.try_(live_cast.manager, saved, "Hello", client_id=client_id)

    made = [*at_once(attempt, attempt), attempt()]
    assert len({turn.answer.pk for turn in made}) == 1
    assert [turn.created for turn in made].count(True) == 1
    assert Conversation.objects.get().trial == saved


def test_the_limits_hold_for_trials(cast: Cast, settings: Settings) -> None:
    settings.MESSAGES_PER_MINUTE = 1
    saved = draft(cast)
    posting.try_(cast.manager, saved, "One", client_id=uuid.uuid4())
    sent = {"text": "Two", "client_id": str(uuid.uuid4())}
    answer = client_of(cast.manager).post(f"{try_page(cast.guide)}?version={saved.pk}", sent)
    assert answer.status_code == 429
    assert "Your text is kept." in answer.content.decode()


def test_answers_in_a_trial_are_not_judged(cast: Cast) -> None:
    turn = trial(cast)
    page = client_of(cast.manager).get(doors(turn)[0][1]).content.decode()
    assert "Good answer" not in page
    assert "Bad answer" not in page
    assert "Regenerate" in page
    with pytest.raises(Refused):
        feedback.rate(cast.manager, reload(turn.answer), good=True)


# -- The socket -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["manager", "member", "reviewer", "outsider", "admin"])
async def test_the_socket_of_a_trial_opens_for_its_owner_only(live_cast: Cast, who: str) -> None:
    turn = await in_database(trial, live_cast)
    cookie = await in_database(cookie_of, getattr(live_cast, who))
    assert await opens(socket(f"/ws/c/{turn.conversation.pk}/", cookie)) is (who == "manager")


async def test_the_socket_of_a_trial_ends_with_the_role(live_cast: Cast) -> None:
    turn = await in_database(trial, live_cast)
    cookie = await in_database(cookie_of, live_cast.manager)
    tab: WebsocketCommunicator = socket(f"/ws/c/{turn.conversation.pk}/", cookie)
    assert (await tab.connect())[0]
    await in_database(live_cast.manager.memberships.update, role="reviewer")
    await tab.send_to(text_data=f'{{"follow": "{turn.generation.pk}"}}')
    assert await tab.receive_output() == {"type": "websocket.close", "code": 4401}
    assert not await opens(socket(f"/ws/c/{turn.conversation.pk}/", cookie))

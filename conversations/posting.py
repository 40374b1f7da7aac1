"""The verbs that create turns: start, try_, post, edit, regenerate, continue_; and the switch between versions.

One transaction each. Callers have been through `access`. Each verb takes the `client_id` that the page made
for the request: the same id again gives back the turn it made the first time, so that a double click, an
impatient reload or a retry on a bad line is harmless. Nothing here talks to a provider.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from conversations import attaching, budgets, refusals, spending, standing, statements
from conversations.attaching import File
from conversations.models import (
    Attachment,
    Charge,
    Conversation,
    Generation,
    Message,
    Persona,
    PersonaVersion,
)
from conversations.models.conversation import TEMPORARY
from conversations.rendering import plaintext
from conversations.tree import Tree

Refused = refusals.Refused  # what every verb here raises

MAX_MESSAGE_BYTES = 32 * 1024
TOO_LONG = gettext_noop(
    "This message is too long: at most 32 KB can be sent at once. Your text is kept; shorten it."
)
SAY_WHAT = gettext_noop("Write what is to be done with what you attached. Your files are kept.")
TITLE_CHARS = 60

_RUNNING = (
    "SELECT conversation_id FROM conversations_generation WHERE requested_by_id = %s AND finished_at IS NULL"
)

BROKEN_OFF = {Generation.Status.STOPPED, Generation.Status.INTERRUPTED, Generation.Status.FAILED}

Placed = Callable[[str], Message]  # a question of that text where it belongs, found inside the transaction
Attaching = Callable[[Message], list[Attachment]]  # what hangs on the question that was placed


@dataclass(frozen=True, slots=True)
class Turn:
    """What a verb made: the answer to come, and what was attached to its question where that is new. `created` is False
    where the request had been made before."""

    conversation: Conversation
    answer: Message
    generation: Generation
    created: bool = True
    attachments: Sequence[Attachment] = ()

    @property
    def below(self) -> uuid.UUID | None:
        """The message that the question stands below."""
        return self.answer.parent.parent_id if self.answer.parent else None


def start(
    person: User,
    persona: Persona,
    text: str,
    *,
    client_id: uuid.UUID,
    temporary: bool = False,
    files: Sequence[File] = (),
) -> Turn:
    """Open a conversation with `persona` by a first question; a `temporary` one is gone a day later. Raises Refused."""
    until = Now() + TEMPORARY if temporary else None
    return _open(Conversation(owner=person, persona=persona, temporary_until=until), text, client_id, files)


def try_(
    person: User, version: PersonaVersion, text: str, *, client_id: uuid.UUID, files: Sequence[File] = ()
) -> Turn:
    """Open a trial of `version`, whether its persona is offered or not, by a first question. Raises Refused."""
    return _open(Conversation(owner=person, persona=version.persona, trial=version), text, client_id, files)


def post(
    person: User, conversation: Conversation, text: str, *, client_id: uuid.UUID, files: Sequence[File] = ()
) -> Turn:
    """Ask the next question, below the last message of the branch that is shown. Raises Refused."""

    def below_the_head(text: str) -> Message:
        shown = Conversation.objects.filter(pk=conversation.pk).values("head")
        for head in Message.objects.defer("text").filter(pk__in=shown):
            return head.reply(text)
        return Message.opening(conversation, text)

    return _ask(
        person, conversation, text, client_id, below_the_head, lambda made: attaching.rows(made, files), files
    )


def edit(person: User, question: Message, text: str, *, client_id: uuid.UUID) -> Turn:
    """Ask `question` anew in other words, with all that is attached to it, as a version beside it. Raises Refused."""
    if question.role != Message.Role.USER:
        raise Refused(_("Only your own messages can be edited."), status=400)
    return _ask(
        person,
        question.conversation,
        text,
        client_id,
        question.version,
        lambda made: attaching.copies(question, made),
    )


def regenerate(person: User, answer: Message, *, client_id: uuid.UUID) -> Turn:
    """Have the question of `answer` answered anew by the version now in force, beside it. Raises Refused."""
    conversation = answer.conversation
    if answer.role != Message.Role.ASSISTANT or answer.parent is None:
        raise Refused(_("Only answers can be made anew."), status=400)
    return _turn(person, conversation, answer.parent, answer.version(), None, client_id)


def continue_(person: User, answer: Message, *, client_id: uuid.UUID) -> Turn:
    """Have a cut `answer` carried on, in a version beside it that begins with its text. Raises Refused.

    The version of the persona stays the one that began the text, so that an answer has one author.
    """
    conversation = answer.conversation
    if answer.role != Message.Role.ASSISTANT or answer.parent is None or not can_continue(answer):
        raise Refused(_("This answer is complete: there is nothing to continue."), status=409)
    made = answer.generation
    carried_on = answer.version(answer.text)
    return _turn(
        person, conversation, answer.parent, carried_on, made.version, client_id, citations=made.citations
    )


def switch(conversation: Conversation, message: Message) -> None:
    """Show the branch through `message`, down to its newest leaf."""
    with transaction.atomic():
        standing.is_there(conversation)  # and no turn comes below the leaf meanwhile
        leaf = Tree(conversation.pk).newest_leaf(message)
        Conversation.objects.filter(pk=conversation.pk).update(head=leaf)
    conversation.head = leaf


def can_continue(answer: Message) -> bool:
    """Whether `answer` broke off with some text that can be carried on."""
    generation: Generation | None = getattr(answer, "generation", None)
    if generation is None:  # brought in from elsewhere: nobody here began it
        return False
    return bool(answer.text.strip()) and (
        generation.status in BROKEN_OFF
        or (generation.status == Generation.Status.DONE and generation.finish_reason == "length")
    )


def closed_reason(conversation: Conversation) -> str:
    """Why nothing more can be asked in `conversation`; empty where it can. A trial needs no offered persona."""
    persona = conversation.persona
    if conversation.trial_id is not None or (persona.published and persona.current_id is not None):
        return ""
    sentence = _("%(persona)s is not published at the moment. You can read this chat, but not write in it.")
    return sentence % {"persona": persona.name}


def checked_text(text: str, *, files: Iterable[File] = ()) -> str:
    """A message as it is kept. Raises Refused for an empty and an over-long one."""
    text = clean(text)
    if not text.strip():
        raise Refused(_(SAY_WHAT) if files else _("Write a message first."), status=400)
    if len(text.encode("utf-8")) > MAX_MESSAGE_BYTES:
        raise Refused(_(TOO_LONG), status=413, limit="message_bytes")
    return text.strip("\n")


def clean(text: str) -> str:
    """`text` as every database takes it: NUL removed (PostgreSQL refuses it), lone surrogates replaced."""
    return text.replace("\r\n", "\n").replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def title_of(text: str) -> str:
    """The first line of `text`, cut at a word, without what would turn round the words beside it."""
    line = " ".join(plaintext.clean(text.strip().splitlines()[0]).split()) or "…"
    if len(line) <= TITLE_CHARS:
        return line
    cut = line[:TITLE_CHARS].rsplit(" ", 1)[0] if " " in line[:TITLE_CHARS] else line[:TITLE_CHARS]
    return f"{cut}…"


def _open(conversation: Conversation, text: str, client_id: uuid.UUID, files: Sequence[File] = ()) -> Turn:
    text = checked_text(text, files=files)
    person = conversation.owner

    def make() -> Turn:
        version = _version_for(conversation)
        conversation.title, conversation.active_at = title_of(text), timezone.now()
        conversation.save(force_insert=True)
        if conversation.temporary_until is not None:
            conversation.refresh_from_db(fields=["temporary_until"])
        question = Message.opening(conversation, text)
        hung = attaching.rows(question, files)
        return _answer(person, conversation, question, question.reply(), version, client_id, hung)

    return _once(person, client_id, conversation, make, text=text, files=files)


def _ask(
    person: User,
    conversation: Conversation,
    text: str,
    client_id: uuid.UUID,
    placed: Placed,
    attached: Attaching,
    files: Sequence[File] | None = None,
) -> Turn:
    text = checked_text(text, files=files or ())

    def make() -> Turn:
        version = _version_for(conversation)
        question = placed(text)
        hung = attached(question)
        return _answer(person, conversation, question, question.reply(), version, client_id, hung)

    return _once(person, client_id, conversation, make, text=text, files=files)


def _turn(
    person: User,
    conversation: Conversation,
    question: Message,
    answer: Message,
    version: PersonaVersion | None,
    client_id: uuid.UUID,
    *,
    citations: Any = None,
) -> Turn:
    """An answer to `question` by `version`, or else by the one in force; `citations` are of what it carries on."""

    def make() -> Turn:
        by = version or _version_for(conversation)
        return _answer(person, conversation, question, answer, by, client_id, citations=citations)

    return _once(person, client_id, conversation, make)


def _once(
    person: User,
    client_id: uuid.UUID,
    conversation: Conversation,
    make: Callable[[], Turn],
    *,
    text: str | None = None,
    files: Sequence[File] | None = None,
) -> Turn:
    """What `make` makes in one transaction, or what the same request has made before or makes meanwhile.

    That it was made before is nearly never so, and not asked first: the database refuses it.
    """
    known = None if conversation._state.adding else conversation
    try:
        with transaction.atomic():
            if problem := standing.problem(person, conversation.persona, known):
                raise Refused(_(problem.sentence), status=problem.status)
            _check_limits(person, known)
            return make()
    except (IntegrityError, Refused) as lost:
        # Lost: to the same request, made before or at this moment, or to another answer.
        if earlier := _earlier(person, client_id, known, text, files):
            return earlier
        if isinstance(lost, Refused):
            raise
        raise _busy() from lost


def _answer(
    person: User,
    conversation: Conversation,
    question: Message,
    answer: Message,
    version: PersonaVersion,
    client_id: uuid.UUID,
    attachments: list[Attachment] | None = None,
    citations: Any = None,
) -> Turn:
    now = timezone.now()
    Message.objects.bulk_create([question, answer] if question._state.adding else [answer])
    if attachments:
        Attachment.objects.bulk_create(attachments)
    generation = Generation.objects.create(
        conversation=conversation,
        message=answer,
        version=version,
        requested_by=person,
        client_id=client_id,
        inherited_chars=len(answer.text),
        citations=citations,
        heartbeat_at=now,
    )
    conversation.head, conversation.active_at = answer, now
    conversation.save(update_fields=["head", "active_at"])
    try:
        spending.reserve(generation, question)
    except spending.OverBudget as over:
        raise budgets.refusal(over, conversation) from over
    return Turn(conversation, answer, generation, attachments=attachments or ())


def _version_for(conversation: Conversation) -> PersonaVersion:
    """What answers now: the version that is tried, else the one in force."""
    version, reason = conversation.trial or conversation.persona.current, closed_reason(conversation)
    if reason or version is None:
        raise Refused(reason, status=409)
    return version


def _check_limits(person: User, conversation: Conversation | None) -> None:
    running = [statements.identity(chat) for (chat,) in statements.fetch(_RUNNING, person.pk)]
    if conversation is not None and conversation.pk in running:
        raise _busy()
    at_once = settings.ANSWERS_AT_ONCE
    if at_once and len(running) >= at_once:
        raise Refused(
            ngettext(
                "You have %(number)s answer running already. Wait for its end, or stop it. Your text is kept.",
                "You have %(number)s answers running already. Wait for one to end, or stop one. Your text is kept.",
                at_once,
            )
            % {"number": at_once},
            status=429,
            limit="answers_of_a_person",
        )
    per_minute = settings.MESSAGES_PER_MINUTE
    since = timezone.now() - timedelta(minutes=1)
    # By the charges, which outlive chats that are deleted meanwhile.
    sent = Charge.objects.filter(person=person, title=False, made_at__gt=since)
    if per_minute and sent.count() >= per_minute:
        raise Refused(
            ngettext(
                "You have sent %(number)s message in a minute, the most that is allowed. "
                "Wait a moment, then send again. Your text is kept.",
                "You have sent %(number)s messages in a minute, the most that is allowed. "
                "Wait a moment, then send again. Your text is kept.",
                per_minute,
            )
            % {"number": per_minute},
            status=429,
            limit="messages_per_minute",
        )


def _busy() -> Refused:
    return Refused(
        _("An answer is still being written here. Stop it or wait for its end. Your text is kept."),
        status=409,
    )


def _earlier(
    person: User,
    client_id: uuid.UUID,
    conversation: Conversation | None,
    text: str | None,
    files: Sequence[File] | None,
) -> Turn | None:
    """The turn that this request made before. Raises Refused where it was another request of the same name."""
    made = Generation.objects.filter(requested_by=person, client_id=client_id)
    found = made.select_related("conversation__persona__company", "message__parent").first()
    if found is None:
        return None
    question = found.message.parent
    elsewhere = conversation is not None and found.conversation_id != conversation.pk
    other_words = text is not None and text != (question.text if question else "")
    if elsewhere or other_words or (files is not None and _attached_to(question) != _names_and_texts(files)):
        raise Refused(
            _("Something else was sent from this page already. Reload it and send again."), status=409
        )
    return Turn(found.conversation, found.message, found, created=False)


def _attached_to(question: Message | None) -> list[tuple[str, str]]:
    return _names_and_texts(question.attachments.all()) if question else []


def _names_and_texts(files: Iterable[File | Attachment]) -> list[tuple[str, str]]:
    return [(file.name, file.text) for file in files]

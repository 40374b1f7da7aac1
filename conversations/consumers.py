"""The socket of a conversation's page: it authenticates, follows the answer that runs, and sends frames.

Commands other than "show me that answer" go up by HTTP. A socket is a view: whatever it misses is in the record.
Whatever breaks here closes it, and the page comes back and compares states.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import deque
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import translation

from conversations import (
    access,
    announcements,
    generation,
    language,
    metrics,
    pages,
    rechecks,
    thread,
    viewer,
)
from conversations.database import in_database
from conversations.hearing import Ear, TooMuch
from conversations.models import Conversation
from conversations.tasks import Tasks
from conversations.visitor import Visitor
from conversations.window import TooSlow, Window

logger = logging.getLogger(__name__)

BEAT_SECONDS = 15  # a page that hears nothing for longer knows that the line is dead
BEAT = '<i id="beat" hx-swap-oob="outerHTML" hidden></i>'
# Of the protocol's own codes Daphne lets an application use none, not even those that were made for it.
GONE = 4401  # signed out, or no longer allowed
DELETED = 4410  # by who looks, and they may bring it back
BROKEN = 4011
AGAIN = 4013  # later
TOO_MUCH = 4429
FULL = 4503  # as many sockets as there may be
FOLLOWS = 5  # from the beginning, in as many seconds; a page that asks for more waits a second each time
NEWS = 8  # turns that wait to be shown, before they are shown as one


class LineLost(Exception):
    """The client was gone when something was to be sent to it."""


class ConversationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One page of one conversation."""

    conversation_id: uuid.UUID
    session_key: str
    language: str
    visitor: Visitor
    conversation: Conversation  # as it was when the socket last went through the door
    evidence: rechecks.Evidence
    tasks: Tasks
    window: Window
    followed_at: deque[float]  # when answers were shown from their beginning, in the loop's seconds
    shown_title: str
    shown_head: str  # the last message that the page was given, as far as this socket knows
    news: deque[dict[str, Any] | None]  # what the page is to be shown, None for all that there is
    ear: Ear
    wanted: uuid.UUID | None  # the answer that it asked for last
    ended: bool  # closed from here

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tasks, self.shown_head, self.wanted = Tasks(self._guarded), "", None
        self.ended = False
        self.window, self.news, self.followed_at = Window(), deque(), deque(maxlen=FOLLOWS)
        self.ear = Ear(self.window)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One socket, from its handshake to its end, of which a server does not always tell."""
        self.language = language.of_socket(scope)
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._forget()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message without the base class's hop through a thread that all sockets share."""
        await self._guarded(getattr(self, get_handler_name(message))(message))

    async def connect(self) -> None:
        generation.keep()
        self.conversation_id = self.scope["url_route"]["kwargs"]["conversation_id"]
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
        self.visitor = Visitor(self.scope["cookies"], self.conversation_id)
        # Before the first look at the conversation, so that nothing falls between the two.
        await announcements.join(self.conversation_id, self.channel_name)
        conversation = await in_database(self._enter)
        if conversation is None:
            await self.close()  # before the handshake: a plain 403, the same for foreign and for absent
            return
        self.conversation = conversation
        await announcements.join(conversation.owner_id, self.channel_name)
        if limit := rechecks.crowd(self.evidence):
            # A code is told behind the handshake only, and for this one a page waits longer.
            await self.accept()
            await self._refuse(limit, FULL)
            return
        rechecks.add(self)
        await self.accept()
        shown = parse_qs(self.scope["query_string"].decode("ascii", "replace"))
        self.shown_title = shown.get("title", [conversation.title])[0]
        await self._show(conversation, unless=shown.get("state", [""])[0])
        await self._entitle(conversation.pk, conversation.title)
        self.tasks.begin("beat", self._beat())

    async def disconnect(self, code: int) -> None:
        await self._forget()

    async def _forget(self) -> None:
        rechecks.remove(self)
        self.tasks.end()
        if hasattr(self, "conversation_id"):
            await announcements.leave(self.conversation_id, self.channel_name)
        if hasattr(self, "conversation"):
            await announcements.leave(self.conversation.owner_id, self.channel_name)

    def recheck(self) -> None:
        """Close where whoever looks may no longer see the conversation; show what it missed. Waits for nothing."""
        self.tasks.begin("recheck", self._look_again())

    @property
    def rechecking(self) -> bool:
        """Whether the last recheck is still under way."""
        return self.tasks.runs("recheck")

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What a page says: `{"follow": generation}` of this conversation or `{"taken": frames}`; else nothing."""
        try:
            wanted = self.ear.hear(text_data or bytes_data or "")
        except TooMuch as much:
            await self._refuse(much.limit, TOO_MUCH)
            return
        self.wanted = wanted or self.wanted
        if self.wanted and not self.tasks.runs("ask"):
            self.tasks.begin("ask", self._ask())

    async def _ask(self) -> None:
        """Follow what the page asked for last: who asks often waits, before anything is looked up."""
        await self._breathe()
        while wanted := self.wanted:
            self.wanted = None
            with contextlib.suppress(access.NotVisible):
                found = await in_database(self.visitor.answer, wanted)
                if found is None:
                    await self._shut()
                    return
                conversation, answer = found
                self._follow(viewer.Answer(conversation, answer.message_id, answer.pk))

    async def turn_added(self, event: dict[str, Any]) -> None:
        """Another page, or this one, asked something."""
        self._soon(event)

    async def branch_changed(self, event: dict[str, Any]) -> None:
        """Another branch is shown now."""
        self._soon(event)

    async def chat_titled(self, event: dict[str, Any]) -> None:
        """A chat of the person's, this one or another, is called otherwise."""
        self._soon(event)

    def _soon(self, news: dict[str, Any] | None) -> None:
        """Show the page something after what it is being shown. Waiting for it here would keep out what it says."""
        if not self.shown_head:
            return  # it has not come to show anything, and will not
        if len(self.news) >= NEWS:
            news = None
        if news is None or "around" in news:
            self.news.clear()  # the whole tells all of it
        self.news.append(news)
        if not self.tasks.runs("show"):
            self.tasks.begin("show", self._show_news())

    async def _show_news(self) -> None:
        """A page that missed what stands before a turn gets the whole.

        Whoever asked was let in just now, and is who this page is for: a conversation has one owner.
        """
        while self.news:
            event = self.news.popleft()
            if event and "title" in event:
                await self._entitle(uuid.UUID(event["chat"]), event["title"])
                continue
            if event is None or self.shown_head != event.get("below"):
                if conversation := await self._still_allowed():
                    around = event.get("around") if event else None
                    await self._show(conversation, around=uuid.UUID(around) if around else None)
                continue
            await self._frame(event["fragment"])
            self.shown_head = event["answer"]
            ids = uuid.UUID(event["answer"]), uuid.UUID(event["generation"])
            self._follow(viewer.Answer(self.conversation, *ids), shown=True)

    def _enter(self) -> Conversation | None:
        # First what is compared later: a right that is lost in between is noticed.
        (self.evidence,) = rechecks.evidence([(self.session_key, self.conversation_id)])
        return self.visitor.conversation()

    async def _still_allowed(self) -> Conversation | None:
        conversation = await in_database(self.visitor.conversation)
        if conversation is None:
            await self._shut()
        else:
            self.conversation = conversation
        return conversation

    async def _shut(self) -> None:
        """Whoever looks may no longer: nothing more is shown, and nothing more is asked for them."""
        self.tasks.cancel("follow")
        generation.forsake(self.conversation_id)
        deleted = await in_database(self.visitor.deleted_it)
        await self._out(self._end(DELETED if deleted else GONE))

    async def _refuse(self, limit: str, code: int) -> None:
        metrics.refused.labels(limit).inc()
        await self._out(self._end(code))

    async def _end(self, code: int) -> None:
        """Close, once: looks after everybody's rights may come faster than the end of one."""
        if self.ended:
            return
        self.ended = True
        metrics.sockets_closed.labels(str(code)).inc()
        await self.close(code=code)

    async def _entitle(self, chat: uuid.UUID, title: str) -> None:
        """Show what a chat is called, where the page shows it otherwise or that is not known."""
        if chat == self.conversation_id:
            if self.conversation.trial_id is not None or title == self.shown_title:
                return
            self.shown_title = title
        await self._frame(pages.titled(chat, title))

    async def _look_again(self) -> None:
        conversation = await self._still_allowed()
        if conversation is None:
            return
        await self._entitle(conversation.pk, conversation.title)
        # What has just been opened, and was given nothing yet, is shown as it stands anyway.
        if self.shown_head not in ("", str(conversation.head_id)) and not self.tasks.runs("show"):
            self._soon(None)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._frame(BEAT)

    async def _show(
        self, conversation: Conversation, *, unless: str | None = None, around: uuid.UUID | None = None
    ) -> None:
        """Send the thread, and follow the answer that ran before: where it ends meanwhile, that is a frame.

        `unless` is the state that the page shows already; an empty one tells nothing, and nothing is sent.
        """
        before = await in_database(thread.standing, conversation)
        if unless is None or unless not in ("", before.state):
            frame = await in_database(pages.whole_thread, conversation, follow=False, around=around)
            await self._frame(frame)
        self.shown_head = str(before.head)
        if before.live is not None:
            live = before.live
            self._follow(viewer.Answer(conversation, live.message_id, live.generation_id))

    def _follow(self, answer: viewer.Answer, *, shown: bool = False) -> None:
        """Show an answer from its beginning; where one is shown already, begin anew. `shown`: it is on the branch."""
        self.tasks.cancel("follow")
        self.tasks.begin("follow", self._send_frames(answer, shown=shown))

    async def _breathe(self) -> None:
        """Wait a second where an answer was begun from its beginning too often."""
        now = asyncio.get_running_loop().time()
        hasty = len(self.followed_at) == FOLLOWS and now - self.followed_at[0] < FOLLOWS
        self.followed_at.append(now)
        await asyncio.sleep(1 if hasty else 0)

    async def _send_frames(self, answer: viewer.Answer, *, shown: bool) -> None:
        with metrics.followers.track_inprogress():
            async for frame in viewer.frames(answer, shown=shown):
                await self._frame(frame)

    async def _frame(self, text: str) -> None:
        """Send a frame, once the page has taken in enough of those before. Raises LineLost, TooSlow."""
        await self.window.room()
        self.window.sent(text)
        await self._out(self.send(text_data=text))
        if self.window.full and not self.tasks.runs("window"):  # also where nothing more is to be sent
            self.tasks.begin("window", self.window.room())

    async def _out(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send to the client. Servers differ in what they raise for one that has just left. Raises LineLost."""
        try:
            await sending
        except Exception as error:
            raise LineLost from error

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        """Do `work`. What breaks in it is logged and ends the socket, which the page takes as a lost line."""
        translation.activate(self.language)  # whoever begins it, a look after everybody's rights for one
        try:
            await work
        except StopConsumer:
            raise
        except LineLost:
            pass  # the disconnect that ends everything is on its way
        except (TooSlow, DatabaseError) as error:
            logger.warning("a socket has to come again: %s", type(error).__name__)
            with contextlib.suppress(Exception):
                await self._end(AGAIN)
        except Exception:
            logger.exception("a socket of conversation %s broke", self.conversation_id)
            with contextlib.suppress(Exception):
                await self._end(BROKEN)

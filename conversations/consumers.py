"""The socket of a conversation's page: it authenticates, follows the answer that runs, and sends frames.

Commands other than "show me that answer" go up by HTTP. A socket is a view: whatever it misses is in the record.
Whatever breaks here closes it, and the page comes back and compares states.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
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

from conversations import access, announcements, generation, metrics, pages, rechecks, thread, viewer
from conversations.database import in_database
from conversations.models import Conversation
from conversations.window import TooSlow, Window

logger = logging.getLogger(__name__)

BEAT_SECONDS = 15  # a page that hears nothing for longer knows that the line is dead
BEAT = '<i id="beat" hx-swap-oob="outerHTML" hidden></i>'
# Of the protocol's own codes Daphne lets an application use none, not even those that were made for it.
GONE = 4401  # signed out, or no longer allowed
BROKEN = 4011
AGAIN = 4013  # later
FOLLOWS = 5  # from the beginning, in as many seconds; a page that asks for more waits a second each time


class LineLost(Exception):
    """The client was gone when something was to be sent to it."""


class ConversationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One page of one conversation."""

    conversation_id: uuid.UUID
    session_key: str
    conversation: Conversation  # as it was when the socket last went through the door
    evidence: rechecks.Evidence
    tasks: dict[str, asyncio.Task[None]]
    window: Window
    followed_at: deque[float]  # when an answer was last shown from its beginning, in the loop's seconds
    shown_head: str  # the last message that the page was given, as far as this socket knows

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle a message without the base class's hop through a thread that all sockets share."""
        await self._guarded(getattr(self, get_handler_name(message))(message))

    async def connect(self) -> None:
        try:
            await self._connect()
        except BaseException:
            # A server that has waited long enough for a socket cancels it, and tells of no disconnect.
            await self._forget()
            raise

    async def _connect(self) -> None:
        self.tasks, self.shown_head, self.followed_at = {}, "", deque(maxlen=FOLLOWS)
        self.window = Window()
        generation.keep()
        self.conversation_id = self.scope["url_route"]["kwargs"]["conversation_id"]
        self.session_key = self.scope["cookies"].get(settings.SESSION_COOKIE_NAME, "")
        # Before the first look at the conversation, so that nothing falls between the two.
        await announcements.join(self.conversation_id, self.channel_name)
        conversation = await in_database(self._enter)
        if conversation is None:
            await announcements.leave(self.conversation_id, self.channel_name)
            await self.close()  # before the handshake: a plain 403, the same for foreign and for absent
            return
        self.conversation = conversation
        rechecks.add(self)
        await self.accept()
        shown = parse_qs(self.scope["query_string"].decode("ascii", "replace")).get("state", [""])[0]
        await self._show(conversation, unless=shown)
        self.tasks["beat"] = asyncio.create_task(self._guarded(self._beat()))

    async def disconnect(self, code: int) -> None:
        await self._forget()

    async def _forget(self) -> None:
        rechecks.remove(self)
        for task in self.tasks.values():
            task.cancel()
        await announcements.leave(self.conversation_id, self.channel_name)

    async def recheck(self) -> None:
        """Close where whoever looks may no longer see the conversation; show what it missed."""
        await self._guarded(self._look_again())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What a page says: `{"follow": generation}` of this conversation or `{"taken": frames}`; else nothing."""
        try:
            said = json.loads(text_data or "")
            if type(frames := said.get("taken")) is int:
                self.window.taken(frames)
                return
            wanted = uuid.UUID(said["follow"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return
        with contextlib.suppress(access.NotVisible):
            answer = await in_database(self._answer, wanted)
            if answer is None:
                await self._out(self._end(GONE))
            else:
                self._follow(answer)

    async def turn_added(self, event: dict[str, Any]) -> None:
        """Another page, or this one, asked something. A page that missed what stands before gets the whole.

        Whoever asked was let in just now, and is who this page is for: a conversation has one owner.
        """
        if not self.shown_head:
            return  # it has not come to show anything, and will not
        conversation = self.conversation
        if self.shown_head != event["below"]:
            if await self._still_allowed():
                await self._show(conversation)
            return
        await self._frame(event["fragment"])
        self.shown_head = event["answer"]
        answer = viewer.Answer(conversation, uuid.UUID(event["answer"]), uuid.UUID(event["generation"]))
        self._follow(answer, shown=True)

    async def branch_changed(self, event: dict[str, Any]) -> None:
        """Another branch is shown now."""
        if self.shown_head and (conversation := await self._still_allowed()):
            await self._show(conversation)

    def _enter(self) -> Conversation | None:
        # First what is compared later: a right that is lost in between is noticed.
        (self.evidence,) = rechecks.evidence([(self.session_key, self.conversation_id)])
        return self._conversation()

    def _conversation(self) -> Conversation | None:
        person = access.person_of_cookies(self.scope["cookies"])
        try:
            return access.conversation(person, self.conversation_id) if person else None
        except access.NotVisible:
            return None

    def _answer(self, generation_id: uuid.UUID) -> viewer.Answer | None:
        """An answer of the conversation; None where that is closed to whoever asks. Raises NotVisible."""
        conversation = self._conversation()
        if conversation is None:
            return None
        found = access.generation(conversation, generation_id)
        return viewer.Answer(conversation, found.message_id, found.pk)

    async def _still_allowed(self) -> Conversation | None:
        conversation = await in_database(self._conversation)
        if conversation is None:
            await self._out(self._end(GONE))
        else:
            self.conversation = conversation
        return conversation

    async def _end(self, code: int) -> None:
        metrics.sockets_closed.labels(str(code)).inc()
        await self.close(code=code)

    async def _look_again(self) -> None:
        conversation = await self._still_allowed()
        if conversation and self.shown_head not in ("", str(conversation.head_id)):
            await self._show(conversation)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self._frame(BEAT)

    async def _show(self, conversation: Conversation, *, unless: str | None = None) -> None:
        """Send the whole thread, and follow the answer that ran before: where it ends meanwhile, that is a frame.

        `unless` is the state that the page shows already; an empty one tells nothing, and nothing is sent.
        """
        before = await in_database(thread.standing, conversation)
        if unless is None or unless not in ("", before.state):
            frame = await in_database(pages.whole_thread, conversation, follow=False)
            await self._frame(frame)
        self.shown_head = str(before.head)
        if before.live is not None:
            live = before.live
            self._follow(viewer.Answer(conversation, live.message_id, live.generation_id))

    def _follow(self, answer: viewer.Answer, *, shown: bool = False) -> None:
        """Show an answer from its beginning; where one is shown already, begin anew. `shown`: it is on the branch."""
        if earlier := self.tasks.pop("follow", None):
            earlier.cancel()
        now = asyncio.get_running_loop().time()
        hasty = len(self.followed_at) == FOLLOWS and now - self.followed_at[0] < FOLLOWS
        self.followed_at.append(now)
        self.tasks["follow"] = asyncio.create_task(
            self._guarded(self._send_frames(answer, shown=shown, after=1 if hasty else 0))
        )

    async def _send_frames(self, answer: viewer.Answer, *, shown: bool, after: float) -> None:
        await asyncio.sleep(after)
        with metrics.followers.track_inprogress():
            async for frame in viewer.frames(answer, shown=shown):
                await self._frame(frame)

    async def _frame(self, text: str) -> None:
        """Send a frame, once the page has taken in enough of those before. Raises LineLost, TooSlow."""
        await self.window.room()
        self.window.sent(text)
        await self._out(self.send(text_data=text))
        if self.window.full and "window" not in self.tasks:  # also where nothing more is to be sent
            self.tasks["window"] = asyncio.create_task(self._guarded(self._see_through()))

    async def _see_through(self) -> None:
        await self.window.room()
        del self.tasks["window"]

    async def _out(self, sending: Coroutine[Any, Any, None]) -> None:
        """Send to the client. Servers differ in what they raise for one that has just left. Raises LineLost."""
        try:
            await sending
        except Exception as error:
            raise LineLost from error

    async def _guarded(self, work: Coroutine[Any, Any, object]) -> None:
        """Do `work`. What breaks in it is logged and ends the socket, which the page takes as a lost line."""
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

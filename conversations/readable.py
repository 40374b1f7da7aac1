"""A chat to be read, and nothing to be done with it: the branch down to one message, a few messages at a time.

For files that people take away and for who is shown a chat by a link. Of what made an answer it says the persona and
the number of its version, or else what a file that it was brought in with called its author.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations import attached
from conversations.attached import Begun
from conversations.citing import Noted, noted
from conversations.models import Conversation, Imported, Message
from conversations.rendering import markdown, plaintext
from conversations.tree import Place, Tree

BATCH = 20  # messages read at once: an answer may have half a megabyte
UNFINISHED = gettext_noop("This answer was still being written.")


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the branch. `position` of `versions` counts from one those that it was chosen from."""

    message: Message
    persona: str
    position: int
    versions: int
    files: list[Begun]

    @property
    def question(self) -> bool:
        return self.message.role == Message.Role.USER

    @property
    def imported(self) -> Imported | None:
        """The mark of a message that was brought in from elsewhere."""
        return getattr(self.message, "imported", None)

    @property
    def name(self) -> str:
        """The persona that gave the answer, or what the file calls it that brought it in; empty for a question."""
        if self.question:
            return ""
        return self.imported.origin if self.imported is not None else self.persona

    @property
    def version(self) -> int | None:
        """The version of the persona that gave the answer."""
        if self.question or self.imported is not None:
            return None
        return self.message.generation.version.number

    @property
    def sentence(self) -> str:
        """How an answer ended, where it did not end well."""
        if self.imported is not None:
            return self.imported.sentence
        if self.question:
            return ""
        made = self.message.generation
        return _(UNFINISHED if made.live else made.sentence)

    @property
    def notes(self) -> list[Noted]:
        """What of the attached files an answer rests on."""
        made = None if self.question or self.imported is not None else self.message.generation
        return noted(self.message.text, made.citations) if made and made.citations else []

    @property
    def text(self) -> str:
        """The words as they were written, without characters that would turn round what stands beside them."""
        return plaintext.clean(self.message.text)

    @property
    def html(self) -> SafeString:
        return markdown.escaped(self.text) if self.question else markdown.read_only(self.message.text)


def branch(
    conversation: Conversation, head: uuid.UUID | None, *, of_files: int = attached.SHOWN_CHARS
) -> Iterator[Said]:
    """The messages from the first question down to `head`; those that are removed meanwhile are left out. So many
    characters at most are read `of_files` that hang on them."""
    ends = Message.objects.filter(conversation=conversation, pk=head) if head else Message.objects.none()
    end = ends.values_list("strand", "depth").first()
    if end is None:
        return
    tree = Tree(conversation.pk)
    path = tree.path(Place(*end))
    rows = Message.objects.select_related("generation__version", "imported")
    rows = rows.defer("generation__reasoning", "generation__version__system_prompt")
    for start in range(0, end[1] + 1, BATCH):
        found = path.messages(start, min(start + BATCH - 1, end[1]), rows)
        versions = tree.versions(found)
        files = attached.beginnings([each.pk for each in found], of_files)
        for message in found:
            beside, hung = versions[message.pk], files.get(message.pk, [])
            yield Said(message, conversation.persona.name, beside.index(message.pk) + 1, len(beside), hung)

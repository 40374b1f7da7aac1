"""Chats as a web page that needs nothing beside itself: no script, no request to anywhere, in either theme, on paper.

What people and models wrote goes through the one renderer, and the page forbids itself whatever it does not need.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.translation import get_language, gettext

from conversations import attaching, readable
from conversations.exports.markdown import foot
from conversations.models import Company, Conversation
from conversations.models.conversation import ConversationQuerySet
from conversations.rendering import colour, plaintext

SHEETS = ("base", "tokens", "prose", "code", "transcript", "files")


def parts(rows: ConversationQuerySet, chats: Iterator[Conversation]) -> Iterator[str]:
    """The page, with a list of the chats above them where there are several."""
    titles = list(rows.order_by("created_at", "pk").values_list("pk", "title"))
    companies = Company.objects.filter(personas__conversations__in=rows).distinct()
    yield _opening(titles[0][1] if len(titles) == 1 else gettext("Your chats"), companies)
    if len(titles) != 1:
        yield render_to_string("export/contents.html", {"titles": titles})
    for chat in chats:
        yield render_to_string("export/chat.html", {"chat": chat})
        for said in readable.branch(chat, chat.head_id, of_files=attaching.MOST_BYTES):
            yield render_to_string("chat/_said.html", {"said": said, "asker": gettext("You")})
        yield "</section>\n"
    yield f'<p class="transcript-end">{escape(foot(), quote=False)}</p>\n</main>\n</body>\n</html>\n'


def _opening(title: str, companies: Iterable[Company]) -> str:
    """The head of the page. Its style is in it, and the policy names that style and allows nothing else."""
    style = _style() + "".join(sorted({colour.stylesheet(company.colour) for company in companies}))
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{get_language()}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(plaintext.clean(title))}</title>\n<style>{style}</style>\n</head>\n"
        '<body>\n<main class="transcript">\n'
    )


@cache
def _style() -> str:
    return "".join(Path(str(finders.find(f"css/{sheet}.css"))).read_text("utf-8") for sheet in SHEETS)

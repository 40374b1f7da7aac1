"""The addresses of the workplace, below /admin/review/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path

from conversations.admin.workplace import actions, conversation, queue, readings, sittings

CONVERSATION = "<uuid:company_id>/conversations/<uuid:conversation_id>/"


def urls() -> list[URLPattern]:
    """All of them, behind the door of the administration."""
    return [
        _path("", sittings.choose, "review"),
        _path("<uuid:company_id>/sitting/", sittings.begin, "review_sitting"),
        _path("<uuid:company_id>/", queue.listed, "review_queue"),
        _path(CONVERSATION, conversation.page, "review_conversation"),
        _path(f"{CONVERSATION}name/", sittings.unmask, "review_unmask"),
        _path(f"{CONVERSATION}open/", actions.open_, "review_open"),
        _path(f"{CONVERSATION}claim/", actions.claim, "review_claim"),
        _path(f"{CONVERSATION}release/", actions.release, "review_release"),
        _path(f"{CONVERSATION}renew/", actions.renew, "review_renew"),
        _path(f"{CONVERSATION}judge/", actions.judge, "review_judge"),
        _path(f"{CONVERSATION}label/", actions.label, "review_label"),
        _path(f"{CONVERSATION}reply/", actions.reply, "review_reply"),
        _path(f"{CONVERSATION}note/", actions.note, "review_note"),
        _path(f"{CONVERSATION}submit/", actions.submit, "review_submit"),
        _path("<uuid:company_id>/readings/", readings.listed, "review_readings"),
    ]


def _path(route: str, view: Callable[..., Any], name: str) -> URLPattern:
    return path(f"review/{route}", admin.site.admin_view(view), name=name)

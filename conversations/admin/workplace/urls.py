"""The addresses of the workplace, below /admin/review/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, path

from conversations.admin.workplace import answers, readings, sittings


def urls() -> list[URLPattern]:
    """All of them, behind the door of the administration."""
    return [
        _path("", sittings.choose, "review"),
        _path("<uuid:company_id>/sitting/", sittings.begin, "review_sitting"),
        _path(
            "<uuid:company_id>/conversations/<uuid:conversation_id>/name/", sittings.unmask, "review_unmask"
        ),
        _path("<uuid:company_id>/answers/", answers.listed, "review_answers"),
        _path("<uuid:company_id>/readings/", readings.listed, "review_readings"),
    ]


def _path(route: str, view: Callable[..., Any], name: str) -> URLPattern:
    return path(f"review/{route}", admin.site.admin_view(view), name=name)

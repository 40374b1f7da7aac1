"""The language of the pages: the scripts' words in it, and choosing another one."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils import translation
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import JavaScriptCatalog, set_language

_catalogue = JavaScriptCatalog.as_view(packages=["conversations"])


@require_safe
def words(request: HttpRequest, language: str) -> HttpResponseBase:
    """What the scripts say, in one of the site's languages. The address names the edition: it may be kept for good."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    with translation.override(language):
        response = _catalogue(request)
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@require_POST
def speak(request: HttpRequest) -> HttpResponseBase:
    """Speak `language` to this browser from now on, and go back to where that was asked for."""
    return set_language(request)

"""What makes the site one that a device can keep: its manifest, a service worker, and the page that is shown offline.

The same for everybody, and nobody's: nothing here asks who somebody is, and nothing that was said is kept by it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext_noop, override, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from conversations import language as languages

SURFACE = "#fdfdfe"
ICONS = (("192", "any"), ("512", "any"), ("512", "maskable"))
STYLES = ("base", "tokens", "controls", "page", "offline")
# What the script of the offline page says, as it is written there.
SAID = (
    gettext_noop("Trying…"),
    gettext_noop("The server does not answer yet. This page comes back by itself."),
)
_KEPT = {"Cache-Control": "public, max-age=3600"}


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """What the site is called on a device, by the name that it is reached by, and how it looks there.

    Anybody may keep it: the address says in which language it is.
    """
    icons = [
        {
            "src": static(f"icons/{purpose}-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size, purpose in ICONS
    ]
    with override(_language(request)):
        name = _("Chat at %(host)s") % {"host": request.get_host().partition(":")[0]}
        short = pgettext("name of the site", "Chat")
    described = {
        "id": "/",
        "name": name,
        "short_name": short,
        "start_url": reverse("start"),
        "scope": "/",
        "display": "standalone",
        "background_color": SURFACE,
        "theme_color": SURFACE,
        "icons": icons,
    }
    return JsonResponse(described, content_type="application/manifest+json", headers=_KEPT)


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. It is another one as soon as the offline page is, which it then fetches anew."""
    return HttpResponse(
        _program(get_language() or settings.LANGUAGE_CODE),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache, max-age=0"},
    )


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page that stands where no page can be fetched: whole in itself, since nothing else can be fetched either.

    It is fetched as by nobody, so the address says in which language: without one, in the site's own.
    """
    language = _language(request)
    page, policy = _offline(language)
    headers = {"Content-Security-Policy": policy, "Content-Language": language}
    return HttpResponse(page, headers=_KEPT | headers)


def _language(request: HttpRequest) -> str:
    """The language that an address asks for, or the site's own."""
    language = request.GET.get("language", "")
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


@cache
def _program(language: str) -> str:
    constants = {
        "OFFLINE": languages.address("offline", language),
        "VERSION": _hash(_offline(language)[0])[:16],
    }
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in constants.items()]
    return "".join(lines) + (settings.BASE_DIR / "static" / "js" / "worker.js").read_text(encoding="utf-8")


@cache
def _offline(language: str) -> tuple[str, str]:
    """The offline page and its policy, which lets in what it holds and nothing else."""
    folder = settings.BASE_DIR / "static"
    style = "\n".join((folder / "css" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)
    script = (folder / "js" / "offline.js").read_text(encoding="utf-8")
    # Not by the loader of templates, which would write a nonce into it.
    source = (settings.BASE_DIR / "templates" / "offline.html").read_text(encoding="utf-8")
    with override(language):
        page = engines["django"].from_string(source).render()
        said = {words: _(words) for words in SAID}
    if language != settings.LANGUAGE_CODE:
        catalogue = json.dumps(said, ensure_ascii=False)
        script = f"globalThis.gettext = (text) => ({catalogue})[text] ?? text;\n{script}"
    page = page.replace("/* style */", style).replace("/* script */", script)
    policy = (
        f"default-src 'none'; script-src 'sha256-{_hash(script)}'; style-src 'sha256-{_hash(style)}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "report-uri /csp-report/"
    )
    return page, policy


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

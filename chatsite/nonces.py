"""The nonce of a page on every script that a template asks for, and on none that comes out of a variable.

Written into the source of the templates as they are loaded, Django's own included: nobody can forget one, and what a
person or a model wrote can never be given one, since it is not there yet.
"""

from __future__ import annotations

from django.template import Library, Origin
from django.template.context import Context
from django.template.loaders import app_directories, filesystem
from django.utils.safestring import mark_safe

register = Library()

_NONCE = 'nonce="{{ request.csp_nonce }}"'
# The scripts that Django's forms ask for.
_MEDIA = {f"{{{{ {media} }}}}": f"{{% nonced {media} %}}" for media in ("media", "media.js", "form.media")}


class FilesystemLoader(filesystem.Loader):
    """Our templates."""

    def get_contents(self, origin: Origin) -> str:
        return with_nonces(super().get_contents(origin))


class AppsLoader(app_directories.Loader):
    """Templates of Django's and of libraries."""

    def get_contents(self, origin: Origin) -> str:
        return with_nonces(super().get_contents(origin))


def with_nonces(source: str) -> str:
    """The source of a template whose scripts have the nonce of the page."""
    for plain, nonced in _MEDIA.items():
        source = source.replace(plain, nonced)
    return source.replace("<script", f"<script {_NONCE}")


@register.simple_tag(takes_context=True, name="nonced")
def nonced(context: Context, media: object) -> str:
    """The elements of a form's `Media`, whose paths are the program's own."""
    nonce = context["request"].csp_nonce
    return mark_safe(str(media).replace("<script ", f'<script nonce="{nonce}" '))  # noqa: S308 (see above)

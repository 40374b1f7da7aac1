"""Where a request goes and what its headers say; the same for all wires but for the version.

Headers ask for an unpacked body, since a packed one can be a thousand times its size.
"""

import re

from conversations.providers.events import Endpoint, ErrorKind, ProviderError

_VERSION = re.compile(r"/v\d+[a-z0-9]*$")


def versioned(endpoint: Endpoint, version: str, *, replace: bool = False) -> str:
    """Return the base address with an API version at its end.

    A version that is already there stays, unless `replace` says that this path wants its own.
    """
    base = endpoint.base_url.strip().rstrip("/")
    if replace:
        base = _VERSION.sub("", base)
    return base if _VERSION.search(base) else f"{base}/{version}"


def headers(endpoint: Endpoint, *, accept: str) -> dict[str, str]:
    """Return the request headers; without a key there is no Authorization header at all.

    Raises `ProviderError` for a key that no HTTP header can carry.
    """
    lines = {"Accept": accept, "Accept-Encoding": "identity"}
    if endpoint.api_key:
        if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
            raise ProviderError(ErrorKind.AUTH, endpoint.label, "The key holds characters that no key has.")
        lines["Authorization"] = f"Bearer {endpoint.api_key}"
    return lines

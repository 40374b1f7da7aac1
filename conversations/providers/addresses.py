"""Which addresses may be called: by how they are written, by the lists of the site, and by where their names lead.

A text says nothing about where it leads: 2130706433, 127.1, 0x7f000001 and a name of somebody's own all reach this
machine. So the text is held to a plain form, the name to a list, and what decides are the addresses that it resolves
to, which `guard` also connects to. Here is no connection.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.utils.translation import gettext

from conversations.providers.marking import gettext_noop

Place = tuple[str, str, int]  # scheme, host and port

MALFORMED = gettext_noop(
    "Give an address such as https://llm.example.com/v1: https://, a name in plain letters, maybe a port and a path. "
    "A user name, a question mark, a # or a name in other letters (write it as xn--…) is not taken."
)
_PLAIN = gettext_noop(
    "http:// is only for servers of your own, which LOCAL_UPSTREAMS in the site's environment names. "
    "Add {host}:{port} to it and restart the site, or give an https:// address."
)
_NUMBERS = gettext_noop(
    "{host} is an address in numbers: give the server's name. One of your own can be added to LOCAL_UPSTREAMS in the "
    "site's environment, as {host}:{port}."
)
_NOT_LISTED = gettext_noop(
    "This site does not call {host}:{port}. If it should, add {host}{colon_port} to UPSTREAM_HOSTS in its "
    "environment, or {host}:{port} to LOCAL_UPSTREAMS where the server is your own, and restart the site."
)
_UNKNOWN = gettext_noop("{host} cannot be found at the moment. Check the name, or try again later.")
_INSIDE = gettext_noop(
    "{host} leads to an address that is not public, so it is not called. For a server of your own, "
    "add {host}:{port} to LOCAL_UPSTREAMS in the site's environment and restart the site."
)

_WRITTEN = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([0-9]{1,5}))?((?:/[a-z0-9._~-]+)*/?)",
    re.ASCII | re.IGNORECASE,
)
_LISTED = re.compile(
    r"(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE
)
_PORTS = {"http": 80, "https": 443}

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address, as DNS64 makes them up
_UNICAST_6 = IPv6Network("2000::/3")  # all of IPv6 that the internet routes
_REFUSED = (  # of the special purposes that IANA lists, those that some version of Python calls global
    IPv4Network("100.64.0.0/10"),  # carriers' NAT
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv6Network("2001::/23"),  # Teredo and others
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),
)


class NotAllowed(Exception):
    """An address that is not called; `sentence` says to an operator why, and what would change it."""

    def __init__(self, template: str, words: dict[str, str] | None = None) -> None:
        self._template, self._words = template, words or {}
        super().__init__(template.format_map(self._words))

    @property
    def sentence(self) -> str:
        return gettext(self._template).format_map(self._words)


@dataclass(frozen=True, slots=True)
class Address:
    """An http(s) address of the plain form: scheme and host in lower case, an IPv6 address without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def place(self) -> Place:
        """What the lists name."""
        return self.scheme, self.host, self.port


@dataclass(frozen=True, slots=True)
class Allowed:
    """The servers that may be called: `public` ones wherever public names lead, `local` ones wherever they are."""

    public: frozenset[Place]
    local: frozenset[Place]

    def is_local(self, text: str) -> bool:
        """Whether the address is one of the local ones; False for a public one. Raises NotAllowed for any other."""
        address = parse(text)
        if address.place in self.local:
            return True
        words = _words(address)
        if address.scheme != "https":
            raise NotAllowed(_PLAIN, words)
        if is_number(address.host):
            raise NotAllowed(_NUMBERS, words)
        if address.place not in self.public:
            raise NotAllowed(_NOT_LISTED, words)
        return False

    def check(self, text: str) -> None:
        """Raise NotAllowed unless `text` may be called, and leads to public addresses where it must. Waits for DNS."""
        if self.is_local(text):
            return
        address = parse(text)
        try:
            found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotAllowed(_UNKNOWN, _words(address)) from None
        if not all(is_public(str(each[4][0])) for each in found):
            raise NotAllowed(_INSIDE, _words(address))


def parse(text: str) -> Address:
    """Read an address of the plain form: nothing in it that two readers could read in two ways. Raises NotAllowed."""
    found = _WRITTEN.fullmatch(text)
    if found is None or {".", ".."} & set(found[4].split("/")):
        raise NotAllowed(MALFORMED)
    scheme = found[1].lower()
    return Address(scheme, _host(found[2]), _port(found[3], _PORTS[scheme]))


def listed(text: str) -> tuple[str, int | None]:
    """Read an entry of a list: `host`, or `host:port`. Raises NotAllowed."""
    found = _LISTED.fullmatch(text)
    if found is None:
        raise NotAllowed(MALFORMED)
    return _host(found[1]), _port(found[2], 0) if found[2] else None


def is_public(text: str) -> bool:
    """Whether an IP address, as a resolver gives it, is one of the public internet.

    What holds an IPv4 address is judged by that. Python's own `is_global` lets loopback through in the forms of NAT64
    and 6to4, and multicast.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = IPv4Address(int(address) & 0xFFFF_FFFF)
        elif address.scope_id is not None or address not in _UNICAST_6:
            return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_private
    return address.is_global and not special and not any(address in network for network in _REFUSED)


def _host(text: str) -> str:
    if not text.startswith("["):
        return text.lower()
    try:
        return str(IPv6Address(text[1:-1]))
    except ValueError:
        raise NotAllowed(MALFORMED) from None


def _port(text: str | None, default: int) -> int:
    port = int(text) if text else default
    if not 0 < port < 65536:
        raise NotAllowed(MALFORMED)
    return port


def is_number(host: str) -> bool:
    """Whether a host is an IP address, in whatever form resolvers take one, and no name. No domain is a number."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    return ":" in host or last.isdecimal() or last.startswith("0x")


def _words(address: Address) -> dict[str, str]:
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = str(address.port)
    colon_port = "" if address.port == _PORTS["https"] else f":{port}"
    return {"host": host, "port": port, "colon_port": colon_port}

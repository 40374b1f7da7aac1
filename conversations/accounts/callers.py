"""From which address a request comes. A header is believed only where an operator has named the proxy that sent it."""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
SHARED_BITS = 64  # of an IPv6 address: whoever has one has all that begin like it


def address_of(request: HttpRequest) -> Address | None:
    """The client's address: that of the connection, or what the proxies that TRUSTED_PROXIES names say of it.

    Each proxy adds the address it was reached from at the end of X-Forwarded-For, so the list is read from there, and
    no further than the first that is none of ours. None where a connection has no address.
    """
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    said = request.headers.get("X-Forwarded-For", "").split(",")
    while address is not None and _is_trusted(address) and said:
        told = _parsed(said.pop().strip())
        if told is None:
            break
        address = told
    return address


def counted(address: Address | None) -> str:
    """What is counted as one client: an IPv4 address, or the network of an IPv6 address."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, SHARED_BITS), strict=False))
    return str(address)


def comes_through_a_stranger(request: HttpRequest) -> bool:
    """Whether a proxy that nobody named stands between: then all its clients are counted as one."""
    peer = _parsed(request.META.get("REMOTE_ADDR", ""))
    return "X-Forwarded-For" in request.headers and not (peer and _is_trusted(peer))


def _is_trusted(address: Address) -> bool:
    return any(address in ip_network(each) for each in settings.TRUSTED_PROXIES)


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address

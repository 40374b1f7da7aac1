"""Which addresses are called: every form in which one can be written, and where names lead."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from conversations.providers.addresses import (
    MALFORMED,
    Address,
    Allowed,
    NotAllowed,
    is_public,
    listed,
    parse,
)

LOOPBACK = ("127.0.0.1",)
PUBLIC_4, PUBLIC_6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
# Forms of this machine that are no IP address to read, and that the system's resolver knows all the same.
NUMBERS = ("2130706433", "127.1", "127.0.1", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0")

TRUSTED = Allowed(
    public=frozenset(
        ("https", host, port)
        for host in ("llm.example.com", *NUMBERS, "127.0.0.1", "::1")
        for port in (443, 8443)
    ),
    local=frozenset(
        {
            ("http", "ollama", 11434),
            ("https", "ollama", 11434),
            ("http", "127.0.0.1", 8080),
            ("http", "::1", 8080),
        }
    ),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://llm.example.com", Address("https", "llm.example.com", 443)),
        ("https://llm.example.com/v1/", Address("https", "llm.example.com", 443)),
        ("HTTPS://LLM.Example.COM:8443/V1", Address("https", "llm.example.com", 8443)),
        ("http://ollama:11434", Address("http", "ollama", 11434)),
        ("http://my_server:80/openai/v1", Address("http", "my_server", 80)),
        ("http://[::1]:8080", Address("http", "::1", 8080)),
        ("http://[0:0:0:0:0:0:0:1]:8080", Address("http", "::1", 8080)),
        ("https://xn--bcher-kva.example", Address("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_a_plain_address_is_read(text: str, expected: Address) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "llm.example.com",
        "//llm.example.com",
        "https:llm.example.com",
        "https:/llm.example.com",
        "https:///llm.example.com",
        "https:\\\\llm.example.com",
        "https://llm.example.com\\@evil.example",
        "https://",
        "https://:443",
        "https://@llm.example.com",
        "https://user@llm.example.com",
        "https://user:pass@llm.example.com",
        "https://llm.example.com@127.0.0.1",
        "https://llm.example.com?x=1",
        "https://llm.example.com/v1?x=1",
        "https://llm.example.com#x",
        "https://llm.example.com/#@evil.example",
        "https://llm.example.com:0",
        "https://llm.example.com:65536",
        "https://llm.example.com:999999",
        "https://llm.example.com:",
        "https://llm.example.com:-1",
        "https://llm.example.com:４４３",
        "https://llm.example.com:443:443",
        "https://llm.example.com.",
        "https://.llm.example.com",
        "https://llm..example.com",
        "https://llm。example。com",
        "https://ｌｌｍ.example.com",
        "https://bücher.example",
        "https://127.0.0.①",
        "https://llm.example.com\t",
        "https://llm.example.com\n",
        "\nhttps://llm.example.com",
        " https://llm.example.com",
        "https://llm.exa\tmple.com",
        "https://llm.exa\nmple.com",
        "https://llm.example.com/v1 x",
        "https://llm.example.com\x00",
        "https://llm.example.com/\x7f",
        "https://llm%2eexample.com",
        "https://%31%32%37.0.0.1",
        "https://llm.example.com/%2e%2e/admin",
        "https://llm.example.com/../admin",
        "https://llm.example.com/./v1",
        "https://llm.example.com//evil.example",
        "https://[::1",
        "https://::1",
        "https://[]",
        "https://[::1]evil.example",
        "https://[fe80::1%25eth0]",
        "https://[fe80::1%eth0]",
        "https://[v1.x]",
        "https://[127.0.0.1]",
        "https://[:::1]",
        "ftp://llm.example.com",
        "file:///etc/passwd",
        "gopher://llm.example.com",
        "ws://llm.example.com",
        "javascript:alert(1)",
        "https://${SECRET_KEY}.example.com",
        "https://{SECRET_KEY}.example.com",
        "https://llm.example.com/$SECRET_KEY",
        "https://llm.example.com/{{SECRET_KEY}}",
        "https://llm.example.com,evil.example",
        "https://llm.example.com;x",
        "https://llm.example.com*",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed, match="Give an address such as") as caught:
        TRUSTED.is_local(text)
    assert caught.value.sentence == MALFORMED


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("https://llm.example.com", "public"),
        ("https://llm.example.com/v1", "public"),
        ("https://llm.example.com:8443", "public"),
        ("http://ollama:11434", "local"),
        ("https://ollama:11434", "local"),
        ("http://127.0.0.1:8080/v1", "local"),
        ("http://[::1]:8080", "local"),
        ("https://llm.example.com:22", "does not call llm.example.com:22"),
        ("https://other.example.com", "does not call other.example.com:443"),
        ("https://llm.example.com.evil.example", "does not call"),
        ("https://evil-llm.example.com", "does not call"),
        ("http://llm.example.com", "http:// is only for"),
        ("http://llm.example.com:443", "http:// is only for"),
        ("http://ollama", "http:// is only for"),
        ("http://ollama:11435", "http:// is only for"),
        ("http://ollama.:11434", "Give an address"),
        ("http://127.0.0.1", "http:// is only for"),
        ("http://localhost:8080", "http:// is only for"),  # the same server by a name that nobody listed
        ("http://169.254.169.254", "http:// is only for"),
        ("https://169.254.169.254", "an address in numbers"),
        ("https://127.0.0.1", "an address in numbers"),  # also where a list of public servers names it
        ("https://[::1]", "an address in numbers"),
        ("https://[::ffff:127.0.0.1]", "an address in numbers"),
        ("https://8.8.8.8", "an address in numbers"),
    ],
)
def test_the_lists_decide(text: str, outcome: str) -> None:
    if outcome in {"public", "local"}:
        assert TRUSTED.is_local(text) is (outcome == "local")
        return
    with pytest.raises(NotAllowed, match=outcome):
        TRUSTED.is_local(text)


@pytest.mark.parametrize("host", NUMBERS)
def test_numbers_are_judged_by_where_they_lead(host: str) -> None:
    """Of the text nothing is believed: the system's own resolver says that each of these is this machine."""
    with pytest.raises(NotAllowed, match=r"leads to an address that is not public|an address in numbers"):
        TRUSTED.check(f"https://{host}")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC_4, True),
        (PUBLIC_6, True),
        ("8.8.8.8", True),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("0.0.0.0", False),  # noqa: S104
        ("0.1.2.3", False),
        ("10.0.0.1", False),
        ("172.16.0.1", False),
        ("172.31.255.255", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("100.127.255.255", False),
        ("192.0.0.8", False),
        ("192.0.2.1", False),
        ("192.88.99.1", False),
        ("198.18.0.1", False),
        ("198.51.100.1", False),
        ("203.0.113.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::8.8.8.8", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:7f00:1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::6440:1", False),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b:1::7f00:1", False),
        ("64:ff9b:1::8.8.8.8", False),
        ("64:ff9b:1:ffff::1", False),
        ("2002:7f00:1::", False),
        ("2002:a9fe:a9fe::", False),
        ("2002:808:808::", False),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", False),
        ("2001::1", False),
        ("2001:db8::1", False),
        ("fc00::1", False),
        ("fd12:3456:789a::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("2606:4700::1%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
        ("100::1", False),
        ("5f00::1", False),
        ("3fff::1", False),
        ("4000::1", False),
        ("nonsense", False),
        ("", False),
    ],
)
def test_what_is_of_the_public_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


def leading(*found: str) -> Any:
    """A resolver by which every name leads to these addresses."""

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in found
        ]

    return getaddrinfo


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        ((PUBLIC_4,), True),
        ((PUBLIC_4, PUBLIC_6), True),
        (LOOPBACK, False),
        ((PUBLIC_4, "127.0.0.1"), False),
        ((PUBLIC_6, "10.0.0.1"), False),
        ((PUBLIC_4, "64:ff9b::7f00:1"), False),
        ((PUBLIC_4, "fe80::1%eth0"), False),
    ],
)
def test_one_address_within_refuses_a_name(
    monkeypatch: pytest.MonkeyPatch, found: tuple[str, ...], allowed: bool
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", leading(*found))
    TRUSTED.check("http://ollama:11434")  # which is asked nothing
    if allowed:
        TRUSTED.check("https://llm.example.com")
        return
    with pytest.raises(NotAllowed, match="leads to an address that is not public"):
        TRUSTED.check("https://llm.example.com")


def test_a_name_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotAllowed, match="cannot be found"):
        TRUSTED.check("https://llm.example.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("llm.example.com", ("llm.example.com", None)),
        ("LLM.example.com:8443", ("llm.example.com", 8443)),
        ("ollama:11434", ("ollama", 11434)),
        ("[::1]:8080", ("::1", 8080)),
        ("https://llm.example.com", None),
        ("llm.example.com/v1", None),
        ("*.example.com", None),
        ("llm.example.com:0", None),
        ("llm.example.com:70000", None),
        ("", None),
    ],
)
def test_entries_of_the_lists(text: str, expected: tuple[str, int | None] | None) -> None:
    if expected is not None:
        assert listed(text) == expected
        return
    with pytest.raises(NotAllowed):
        listed(text)

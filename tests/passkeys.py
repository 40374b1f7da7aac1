"""A device that makes passkeys and signs with them, as a browser would hand its answers on."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

SITE, ORIGIN = "testserver", "https://testserver"
FLAG = AuthenticatorData.FLAG


class Device:
    """One passkey of one account. It has verified its user unless it is told otherwise."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._id = secrets.token_bytes(16)
        self._handle = ""  # by which the site knows again whose it is
        self._rp = hashlib.sha256(SITE.encode()).digest()

    def create(self, options: dict[str, Any]) -> str:
        """What is sent to have it added."""
        self._handle = options["publicKey"]["user"]["id"]
        public = ES256.from_cryptography_key(self._key.public_key())  # type: ignore[no-untyped-call]
        attested = AttestedCredentialData.create(bytes(16), self._id, public)
        data = AuthenticatorData.create(self._rp, FLAG.UP | FLAG.UV | FLAG.AT, 0, attested)
        made = AttestationObject.create("none", data, {})
        client = self._client("webauthn.create", options)
        return self._said(client, attestationObject=websafe_encode(bytes(made)))

    def get(self, options: dict[str, Any], *, flags: AuthenticatorData.FLAG = FLAG.UP | FLAG.UV) -> str:
        """What is sent to sign in."""
        client = self._client("webauthn.get", options)
        data = bytes(AuthenticatorData.create(self._rp, flags, 0))
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said(
            client,
            authenticatorData=websafe_encode(data),
            signature=websafe_encode(signature),
            userHandle=self._handle,
        )

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["publicKey"]["challenge"], "origin": ORIGIN}
        return json.dumps(said).encode()

    def _said(self, client: bytes, **response: str) -> str:
        return json.dumps(
            {
                "type": "public-key",
                "id": websafe_encode(self._id),
                "rawId": websafe_encode(self._id),
                "clientExtensionResults": {},
                "response": {"clientDataJSON": websafe_encode(client), **response},
            }
        )

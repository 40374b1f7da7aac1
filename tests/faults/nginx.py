"""nginx with the configuration of `deploy/`, at ports and with a certificate of its own."""

from __future__ import annotations

import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.faults.services import Service, program
from tests.servers import ROOT, free_port

FRAME = """\
daemon off;
pid {folder}/pid;
error_log {folder}/log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/chat.conf;
}}
"""


class Nginx(Service):
    """The proxy before two processes at known ports. `url` is where it serves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.plain, self.url = free_port(), f"https://127.0.0.1:{self.port}"
        made = subprocess.run(
            [
                *(str(program("openssl")), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    def before(self, ports: Sequence[int]) -> None:
        """Stand before the processes at two ports."""
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        for named, ours in {
            "127.0.0.1:8001": f"127.0.0.1:{ports[0]}",
            "127.0.0.1:8002": f"127.0.0.1:{ports[1]}",
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "server_name chat.example.com;": "server_name 127.0.0.1;",
            "/etc/chat/tls": str(self.folder),
            "/var/log/nginx": str(self.folder),
        }.items():
            assert named in text, f"deploy/nginx.conf says nothing of {named}"
            text = text.replace(named, ours)
        (self.folder / "chat.conf").write_text(text)
        (self.folder / "nginx.conf").write_text(FRAME.format(folder=self.folder))

    @property
    def tls(self) -> ssl.SSLContext:
        """What trusts its certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))

    def command(self) -> Sequence[str]:
        return (str(program("nginx")), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"))

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2, context=self.tls):
                return True
        except (urllib.error.URLError, OSError):
            return False

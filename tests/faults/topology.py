"""The whole of `deploy/` from Debian's packages, in a folder that goes with it: two processes, databases, nginx.

    python -m tests.faults.topology

starts it, prints its address and ends with Ctrl+C.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from tests.e2e.site import PASSWORD
from tests.faults.installation import Installation
from tests.faults.nginx import Nginx
from tests.faults.services import program

NEEDED = ("nginx", "redis-server", "postgres", "initdb", "openssl")


class Topology(Installation):
    """Two processes behind nginx."""

    def __init__(self, **environment: str) -> None:
        folder = Path(mkdtemp(prefix="chat-nginx-"))
        folder.chmod(0o755)  # its workers are somebody else
        self.nginx = Nginx(folder)
        keys = {"SECRET_KEY": "of this topology " * 4, "ENCRYPTION_KEY": "of what it keeps " * 4}
        super().__init__(together=True, CSRF_TRUSTED_ORIGINS=self.nginx.url, **keys, **environment)
        self.nginx.before([server.port for server in self.servers])
        self.nginx.start()
        self.url = self.nginx.url

    def close(self) -> None:
        self.nginx.close()
        super().close()
        shutil.rmtree(self.nginx.folder)


@contextmanager
def topology(**environment: str) -> Iterator[Topology]:
    """It, for as long as the block lasts."""
    made = Topology(**environment)
    try:
        yield made
    finally:
        made.close()


def main() -> None:
    if lacking := [name for name in NEEDED if program(name) is None]:
        sys.exit(
            f"Not there: {', '.join(lacking)}. On Debian: apt install nginx postgresql redis-server openssl"
        )
    with topology() as made:
        print(
            f"Open {made.url} (its certificate is its own). Accounts: admin, manager, reviewer, member; {PASSWORD!r}."
        )
        print(f"Processes: {', '.join(server.url for server in made.servers)}. Ctrl+C ends it.", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()

"""What an export is: its filters, its counts, the versions in it, its checksum. By a fresh pass, since what was
deleted meanwhile is not in it any more. It holds nobody's words, so it is no look at anything; but how often words are
found would be one, so that of a search nothing is counted before it was delivered.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from django.utils import timezone

from conversations.database import in_database
from conversations.exports import rows
from conversations.exports.formats import FORMATS
from conversations.exports.walking import Tally, Walk
from conversations.models import Export

logger = logging.getLogger(__name__)

FORMAT = "manifest/1"
UNCOUNTED = (
    "This export searches for words, so its numbers come with its first whole delivery, which is on record. Download "
    "it from the beginning to its end, then ask for the manifest again."
)
_PATIENCE = 50  # batches after which a sign of life is due


async def stream(export: Export) -> AsyncIterator[bytes]:
    """The manifest as JSON, behind blank lines for as long as the pass takes."""
    walk = Walk(export) if export.counted else None
    try:
        batches = 0
        while walk is not None and await in_database(walk.batch) is not None:
            batches += 1
            if batches % _PATIENCE == 0:
                yield b"\n"
        manifest = await in_database(_manifest, export, walk)
    except Exception:  # raised, it would take the server along: see delivery.py
        logger.exception("a manifest broke off")
        manifest = {"format": FORMAT, "error": "The manifest could not be made. Ask for it again."}
    yield (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _manifest(export: Export, walk: Walk | None) -> dict[str, Any]:
    export.refresh_from_db()
    now = _now(walk.tally) if walk else None
    counted = now is not None  # also where it has been delivered this very moment
    found = {
        "format": FORMAT,
        "data_format": FORMATS[export.kind].name,
        "export": str(export.pk),
        "company": export.company.name,
        "made_by": export.by_name,
        "made_at": rows.moment(export.created_at),
        "reason": export.reason,
        "filters": export.filters,
        "upto": export.upto,
        "first_delivery": {
            "finished_at": rows.moment(export.finished_at) if export.finished_at else None,
            "lines": export.rows if counted else None,
            "bytes": export.bytes if counted else None,
            "sha256": export.sha256 or None if counted else None,
        },
        "now": now,
        "unchanged": export.sha256 == now["sha256"] if now and export.sha256 else None,
    }
    return found if counted else found | {"uncounted": UNCOUNTED}


def _now(tally: Tally) -> dict[str, Any]:
    return {
        "checked_at": rows.moment(timezone.now()),
        "answers": tally.answers,
        "lines": tally.lines,
        "duplicates_left_out": tally.duplicates,
        "bytes": tally.bytes,
        "sha256": tally.digest.hexdigest(),
        "versions": [
            {"persona": persona, "version": number, "model": model, "answers": answers}
            for (persona, number, model), answers in sorted(tally.versions.items(), key=str)
        ],
    }

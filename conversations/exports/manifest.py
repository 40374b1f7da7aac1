"""What an export is: its filters, its counts, the versions in it, its checksum. By a fresh pass, since what was
deleted meanwhile is not in it any more. It holds nobody's words, so it is no look at anything.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from django.utils import timezone

from conversations.database import in_database
from conversations.exports import rows
from conversations.exports.walking import Walk
from conversations.models import Export

logger = logging.getLogger(__name__)

FORMAT = "manifest/1"
_PATIENCE = 50  # batches after which a sign of life is due


async def stream(export: Export) -> AsyncIterator[bytes]:
    """The manifest as JSON, behind blank lines for as long as the pass takes."""
    walk = Walk(export)
    try:
        batches = 0
        while await in_database(walk.batch) is not None:
            batches += 1
            if batches % _PATIENCE == 0:
                yield b"\n"
        manifest = await in_database(_manifest, export, walk)
    except Exception:  # raised, it would take the server along: see delivery.py
        logger.exception("a manifest broke off")
        manifest = {"format": FORMAT, "error": "The manifest could not be made. Ask for it again."}
    yield (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _manifest(export: Export, walk: Walk) -> dict[str, Any]:
    export.refresh_from_db()
    tally = walk.tally
    checksum = tally.digest.hexdigest()
    return {
        "format": FORMAT,
        "data_format": walk.format.name,
        "export": str(export.pk),
        "company": export.company.name,
        "made_by": export.by_name,
        "made_at": rows.moment(export.created_at),
        "reason": export.reason,
        "filters": export.filters,
        "upto": export.upto,
        "first_delivery": {
            "finished_at": rows.moment(export.finished_at) if export.finished_at else None,
            "lines": export.rows,
            "bytes": export.bytes,
            "sha256": export.sha256 or None,
        },
        "now": {
            "checked_at": rows.moment(timezone.now()),
            "answers": tally.answers,
            "lines": tally.lines,
            "duplicates_left_out": tally.duplicates,
            "bytes": tally.bytes,
            "sha256": checksum,
            "versions": [
                {"persona": persona, "version": number, "model": model, "answers": answers}
                for (persona, number, model), answers in sorted(tally.versions.items(), key=str)
            ],
        },
        "unchanged": export.sha256 == checksum if export.sha256 else None,
    }

"""Exports: a company's answers as files, streamed batch by batch, each batch on record before it leaves.

Everything here follows from the rows: nothing is kept of what was sent but how much it was. The formats are written
down in `docs/exports.md`. Callers have been through `access`; nothing here knows a request.
"""

"""The reviewers' workplace at /admin/review/: pages of our own inside the administration, each below its company.

A page takes its company from `doors.py`, which asks `access`. A page that shows what people wrote takes a sitting
instead, and gets their words from `reading.py` alone.
"""

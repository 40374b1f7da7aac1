"""Faults, each with the outcome required of it: on SQLite alone, and on PostgreSQL and Redis with two processes."""

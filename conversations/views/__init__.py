"""The pages and forms. Each asks `access.py` first and leaves the work to a verb."""

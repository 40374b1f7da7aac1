"""The pages and forms. Each asks `access` first and leaves the work to a verb."""

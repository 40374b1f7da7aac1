"""From a model's words to what a page shows: Markdown to safe HTML, whole or while it arrives.

Nothing here knows rows, requests or providers, and nothing here reads the clock of the wall, the
network or the database. `markdown` is the one door by which text becomes trusted HTML.
"""

"""Measurements, run by hand; pytest collects only what holds them together, and the small form."""

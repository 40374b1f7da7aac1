"""Draws the icons of an installed site (static/icons) out of static/icon.svg, in Chromium."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

STATIC = Path(__file__).parents[1] / "static"
SIZES = {"any-192": 192, "any-512": 512, "maskable-512": 512, "apple-180": 180}
SAFE = 0.56  # of the width: what a mask of any shape leaves


def drawing(name: str) -> str:
    """The icon as it is, or white on a ground to every edge, where a device cuts its own shape out of it."""
    svg = (STATIC / "icon.svg").read_text(encoding="utf-8")
    if name.startswith("any"):
        return svg
    inner = (
        re.sub(r"</?svg[^>]*>", "", svg)
        .replace("#3159a8", "@")
        .replace("#fff", "#3159a8")
        .replace("@", "#fff")
    )
    edge = 16 * (1 - SAFE)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#3159a8" d="M0 0h32v32H0z"/>'
        f'<g transform="translate({edge} {edge}) scale({SAFE})">{inner}</g></svg>'
    )


def main() -> None:
    """Draw all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, size in SIZES.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{drawing(name)}")
            page.screenshot(path=STATIC / "icons" / f"{name}.png", omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()

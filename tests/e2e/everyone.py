"""What is asked of every page, whoever reads it and however: the rules of WCAG 2 at A and AA as far as a program can
judge them, in both themes; room on a narrow screen and at twice the size; a focus that is seen; and stillness."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Frame, Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
WIDE, NARROW, ZOOMED = 1280, 320, 640  # pixels; the last is what a page has of the first at 200 %
SEES = "({ options }) => axe.run(document, options)"

# What reaches beyond the right edge. Code and tables scroll by themselves, as they may.
SPILLS = """() => {
    const own = "pre, pre *, .table, .table *, math, math *";
    const seen = [...document.querySelectorAll("body, body *")].filter((each) =>
        each.checkVisibility({ visibilityProperty: true }) && !each.closest(".visually-hidden, .skip-link"));
    const name = (each) => `${each.tagName.toLowerCase()}.${each.className.baseVal ?? each.className}`;
    const wide = seen.filter((each) => !each.matches(own) && each.getBoundingClientRect().right > innerWidth + 1
        && getComputedStyle(each).position !== "fixed").map(name);
    const scrolled = seen.filter((each) => !each.matches(`${own}, textarea, input`)
        && ["auto", "scroll"].includes(getComputedStyle(each).overflowX)
        && each.scrollWidth > each.clientWidth + 1).map(name);
    const page = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
    return [...page, ...wide, ...scrolled].slice(0, 5);
}"""

# What looks the same with the focus as without it, itself and what stands around it.
UNSEEN = """() => {
    const back = document.activeElement;
    const around = (each) => [each, each.parentElement, each.parentElement.parentElement, ...(each.labels ?? [])];
    const look = (each) => around(each).map((part) => {
        const style = getComputedStyle(part);
        const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor } = style;
        return outlineStyle === "none" ? boxShadow + borderColor + backgroundColor
            : outlineStyle + outlineWidth + outlineColor + boxShadow + borderColor + backgroundColor;
    }).join();
    const found = [];
    for (const each of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
        if (!each.checkVisibility({ visibilityProperty: true }) || each.disabled) continue;
        document.activeElement.blur();
        const before = look(each);
        each.focus({ preventScroll: true });
        if (document.activeElement !== each) continue;
        if (look(each) === before) found.push(each.outerHTML.slice(0, 120));
    }
    back.focus({ preventScroll: true });
    return found.slice(0, 5);
}"""
MOVING = """() => document.getAnimations().filter((each) => each.playState === "running")
    .map((each) => each.animationName ?? each.transitionProperty)"""


async def wrong(page: Page, name: str) -> list[str]:
    """What is wrong with a page as it is, by `name`."""
    size = page.viewport_size or {"width": WIDE, "height": 800}
    found = await _broken(page, f"{name}, light")
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += await _broken(page, f"{name}, dark", rules=["color-contrast", "link-in-text-block"])
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found += [f"{name}: {each} moves" for each in await page.evaluate(MOVING)]
    own = not urlsplit(page.url).path.startswith("/admin/")
    for width in (ZOOMED, NARROW) if own else ():
        await page.set_viewport_size({"width": width, "height": size["height"]})
        found += [f"{name} at {width}: {each} is too wide" for each in await page.evaluate(SPILLS)]
    if own:
        found += await _broken(page, f"{name}, narrow", rules=["target-size"])
        await page.set_viewport_size(size)
    await page.keyboard.press("Shift")
    found += [f"{name}: no focus is seen on {each}" for each in await page.evaluate(UNSEEN)]
    return found


async def _broken(page: Page, name: str, rules: list[str] | None = None) -> list[str]:
    only: dict[str, Any] = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": LEVELS}
    options = {
        "runOnly": only,
        "rules": {"target-size": {"enabled": not rules or "target-size" in rules}},
        "resultTypes": ["violations"],
        "iframes": False,
    }
    found = []
    for frame in page.frames:
        for violation in (await _run(frame, options))["violations"]:
            found += [_sentence(name, violation, node) for node in violation["nodes"]]
    return found


async def _run(frame: Frame, options: dict[str, Any]) -> Any:
    if not await frame.evaluate("Boolean(window.axe)"):
        await frame.evaluate(AXE)
    return await frame.evaluate(SEES, {"options": options})


def _sentence(name: str, violation: dict[str, Any], node: dict[str, Any]) -> str:
    why = re.sub(r"\s+", " ", node["failureSummary"]).removeprefix("Fix any of the following: ")
    return f"{name}: {violation['id']} at {node['target'][-1]}: {why} {node['html'][:160]}"

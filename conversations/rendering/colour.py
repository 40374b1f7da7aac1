"""A company's colour, made readable: from `#rrggbb` to the custom properties of its accent.

What lives here: arithmetic on colours and the few rules of CSS that follow from it. The hue is the
company's; lightness moves, no further than it must, until the contrast is there.
"""

import math
import re
from dataclasses import dataclass, replace
from typing import Final, Self

AA: Final = 4.5
# Room for the rounding of a browser.
_AIM: Final = 4.6

# The lightest and the darkest ground of each theme on which an accent stands.
LIGHT_SURFACES: Final = ("#ffffff", "#f2f2f4")
DARK_SURFACES: Final = ("#161618", "#2c2c30")
# The colours of running text that must stay readable on a tinted bubble.
LIGHT_TEXT: Final = "#2a2a2e"
DARK_TEXT: Final = "#e4e4e7"

_HEX: Final = re.compile(r"#?([0-9a-fA-F]{6})")
_STRONGEST_TINT: Final = 0.045


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour in OKLCH: lightness 0 to 1, chroma from 0, hue in degrees."""

    lightness: float
    chroma: float
    hue: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `#rrggbb`, with or without its sign; ValueError for anything else."""
        digits = _digits(text)
        red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
        long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
        medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
        short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
        lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
        a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
        b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
        return cls(lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360)

    def linear_rgb(self) -> tuple[float, float, float]:
        """Red, green and blue as amounts of light; outside 0 to 1 where no screen can show it."""
        a = self.chroma * math.cos(math.radians(self.hue))
        b = self.chroma * math.sin(math.radians(self.hue))
        long = (self.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (self.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (self.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )

    def luminance(self) -> float:
        """Relative luminance, as WCAG reckons contrast."""
        red, green, blue = (min(1.0, max(0.0, part)) for part in self.linear_rgb())
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(self, other: "Colour") -> float:
        """The contrast ratio of WCAG 2, from 1 to 21."""
        dark, light = sorted((self.luminance(), other.luminance()))
        return (light + 0.05) / (dark + 0.05)

    def at(self, lightness: float) -> "Colour":
        """The same hue at another lightness, with as much of its chroma as a screen can show there."""
        low, high = 0.0, self.chroma
        moved = replace(self, lightness=lightness)
        if moved._shown():
            return moved
        for _ in range(20):
            middle = (low + high) / 2
            low, high = (middle, high) if replace(moved, chroma=middle)._shown() else (low, middle)
        return replace(moved, chroma=low)

    def _shown(self) -> bool:
        return all(-1e-4 <= part <= 1 + 1e-4 for part in self.linear_rgb())

    def css(self) -> str:
        return f"oklch({self.lightness:.4f} {self.chroma:.4f} {self.hue:.2f})"


@dataclass(frozen=True, slots=True)
class Accent:
    """The three colours of an accent in one theme: itself, the text on it, the ground it tints."""

    accent: Colour
    text: Colour
    tint: Colour


def light_accent(company: Colour) -> Accent:
    """The accent on light surfaces: the company's colour, darker where it would be too pale."""
    tint = replace(company, chroma=min(company.chroma, _STRONGEST_TINT)).at(0.945)
    grounds = [*map(Colour.parse, LIGHT_SURFACES), tint]
    return Accent(_readable(company, grounds, 0.0), Colour.parse("#ffffff"), tint)


def dark_accent(company: Colour) -> Accent:
    """The accent on dark surfaces: the company's colour, lighter where it would be too deep."""
    tint = replace(company, chroma=min(company.chroma, _STRONGEST_TINT)).at(0.32)
    grounds = [*map(Colour.parse, DARK_SURFACES), tint]
    return Accent(_readable(company, grounds, 1.0), Colour.parse("#161618"), tint)


def _readable(company: Colour, grounds: list[Colour], extreme: float) -> Colour:
    """The lightness nearest to the company's own that reads on all grounds, towards black or white."""

    def reads(colour: Colour) -> bool:
        return min(map(colour.contrast, grounds)) >= _AIM

    own = company.at(company.lightness)
    if reads(own):
        return own
    near, far = company.lightness, extreme
    for _ in range(20):
        middle = (near + far) / 2
        near, far = (near, middle) if reads(company.at(middle)) else (middle, far)
    return company.at(far)


def class_name(colour: str) -> str:
    """The class that carries a company's accent, from its colour as `#rrggbb`."""
    return f"accent-{_digits(colour)}"


def stylesheet(colour: str) -> str:
    """The rule for `class_name(colour)`: `--accent`, `--accent-text` and `--accent-tint`."""
    company = Colour.parse(colour)
    light, dark = light_accent(company), dark_accent(company)
    return (
        f".{class_name(colour)} {{\n"
        f"  --accent: light-dark({light.accent.css()}, {dark.accent.css()});\n"
        f"  --accent-text: light-dark({light.text.css()}, {dark.text.css()});\n"
        f"  --accent-tint: light-dark({light.tint.css()}, {dark.tint.css()});\n"
        "}\n"
    )


def _digits(text: str) -> str:
    match = _HEX.fullmatch(text)
    if match is None:
        raise ValueError(f"not a colour of the form #rrggbb: {text!r}")
    return match[1].lower()


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

"""The colours of the page, once, in OKLCH: light and dark, screen and print.

Browsers too old for `oklch()` (in-app ones are) get the same colour in hex; charts, whose
library cannot read OKLCH, get it too. Series colours differ in lightness as well as in hue,
so that they stay apart for colour-blind readers and on grey paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def _gamma(linear: float) -> float:
    clipped = min(max(linear, 0.0), 1.0)
    return 12.92 * clipped if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055


def _ungamma(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


@dataclass(frozen=True)
class Oklch:
    """Lightness 0–1, chroma, hue in degrees (Ottosson, "A perceptual color space", 2020)."""

    lightness: float
    chroma: float
    hue: float

    def css(self) -> str:
        return f"oklch({self.lightness:g} {self.chroma:g} {self.hue:g})"

    def hex(self) -> str:
        return "#" + "".join(f"{channel:02x}" for channel in self.rgb())

    def rgb(self) -> tuple[int, int, int]:
        """sRGB, clipped into the gamut."""
        red, green, blue = (round(255 * _gamma(c)) for c in self._linear())
        return red, green, blue

    def luminance(self) -> float:
        """Relative luminance (WCAG 2.2) of the colour as shown."""
        red, green, blue = (_ungamma(channel / 255) for channel in self.rgb())
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def _linear(self) -> tuple[float, float, float]:
        turn = math.radians(self.hue)
        a, b = self.chroma * math.cos(turn), self.chroma * math.sin(turn)
        long = (self.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (self.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (self.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        return (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )


@dataclass(frozen=True)
class Pair:
    """One meaning, by day and by night."""

    light: Oklch
    dark: Oklch


def _pair(light: tuple[float, float, float], dark: tuple[float, float, float]) -> Pair:
    return Pair(Oklch(*light), Oklch(*dark))


COLOURS: dict[str, Pair] = {
    "page": _pair((0.985, 0.003, 85), (0.19, 0.006, 260)),
    "surface": _pair((1, 0, 0), (0.225, 0.008, 260)),
    "sunken": _pair((0.965, 0.004, 85), (0.265, 0.009, 260)),
    "line": _pair((0.9, 0.005, 85), (0.34, 0.01, 260)),
    "ink": _pair((0.24, 0.015, 260), (0.94, 0.005, 260)),
    "muted": _pair((0.48, 0.015, 260), (0.74, 0.012, 260)),
    "accent": _pair((0.47, 0.11, 245), (0.78, 0.1, 240)),
    "on-accent": _pair((1, 0, 0), (0.2, 0.03, 250)),
    "wash": _pair((0.955, 0.018, 240), (0.285, 0.035, 250)),
    "warn": _pair((0.5, 0.11, 60), (0.82, 0.11, 75)),
    "few": _pair((0.8, 0.004, 260), (0.45, 0.008, 260)),
    "mark": _pair((0.58, 0.008, 260), (0.66, 0.008, 260)),
    "c1": _pair((0.51, 0.12, 245), (0.72, 0.11, 240)),
    "c2": _pair((0.74, 0.14, 68), (0.82, 0.12, 80)),
    "c3": _pair((0.6, 0.1, 175), (0.66, 0.09, 175)),
    "c4": _pair((0.42, 0.1, 330), (0.58, 0.12, 335)),
    "c5": _pair((0.79, 0.08, 225), (0.87, 0.06, 220)),
    "c6": _pair((0.54, 0.14, 35), (0.64, 0.13, 40)),
}
SERIES = ("c1", "c2", "c3", "c4", "c5", "c6")
HEAT = ("h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8")


def contrast(one: Oklch, other: Oklch) -> float:
    """WCAG contrast ratio of two colours as shown, 1 to 21."""
    bright, dim = sorted((one.luminance(), other.luminance()), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _mixed(pair: Pair, base: Pair, part: float) -> Pair:
    """`part` of a colour over a grey base; it keeps the colour's hue."""
    return Pair(
        *(
            Oklch(
                round(b.lightness + part * (c.lightness - b.lightness), 4),
                round(part * c.chroma, 4),
                c.hue,
            )
            for c, b in ((pair.light, base.light), (pair.dark, base.dark))
        )
    )


def _readable(ground: Oklch) -> Oklch:
    """Near-black or white, whichever is read more easily on a ground."""
    return max((Oklch(0.16, 0.01, 260), Oklch(1, 0, 0)), key=lambda ink: contrast(ink, ground))


def _derived() -> dict[str, Pair]:
    """Steps of the heatmap, and for every coloured ground an ink that is read on it."""
    accent, surface = COLOURS["accent"], COLOURS["surface"]
    heat = {
        name: _mixed(accent, surface, 0.06 + 0.94 * i / len(HEAT))
        for i, name in enumerate(HEAT, 1)
    }
    grounds = heat | {name: COLOURS[name] for name in (*SERIES, "few")}
    inks = {
        f"on-{name}": Pair(_readable(pair.light), _readable(pair.dark))
        for name, pair in grounds.items()
    }
    return heat | inks


COLOURS |= _derived()


def stylesheet() -> str:
    """Custom properties: hex for everybody, OKLCH where it is understood, dark on screens."""
    light, dark = _rules("light", hex_only=True), _rules("dark", hex_only=True)
    fine_light, fine_dark = _rules("light"), _rules("dark")
    night = "@media screen and (prefers-color-scheme: dark)"
    return (
        f":root{{{light}}}{night}{{:root{{{dark}}}}}"
        f"@supports (color: oklch(0 0 0)){{:root{{{fine_light}}}{night}{{:root{{{fine_dark}}}}}}}"
    )


def hexes(side: str) -> dict[str, str]:
    """All colours of one side ("light" or "dark") in hex, for the charts."""
    return {name: _of(pair, side).hex() for name, pair in COLOURS.items()}


def _rules(side: str, *, hex_only: bool = False) -> str:
    colours = ((name, _of(pair, side)) for name, pair in COLOURS.items())
    return "".join(f"--{n}:{c.hex() if hex_only else c.css()};" for n, c in colours)


def _of(pair: Pair, side: str) -> Oklch:
    return pair.dark if side == "dark" else pair.light

"""How far two colours stand out from each other."""

from __future__ import annotations

from matplotlib.colors import to_rgb


def contrast(one: object, other: object) -> float:
    """The contrast ratio of two of Matplotlib's colours, 1 to 21 (WCAG 2.1)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: object) -> float:
    """The relative luminance of a colour, 0 to 1 (WCAG 2.1)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

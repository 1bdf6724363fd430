"""Filters that write the numbers of the pages."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def percent(probability: float) -> str:
    """Return a probability in percent; one that is not 1 is never written as 100 %.

    >>> percent(0.934), percent(0.9999), percent(0.0004)
    ('93 %', '99.9 %', '0.0 %')
    """
    number = 100 * probability
    if 1 <= number < 99 or number == 100:
        return f"{number:.0f} %"
    return f"{min(number, 99.9):.1f} %"


@register.filter
def share(fraction: float) -> str:
    """Return a share of a sum in whole percent.

    >>> share(1 / 3)
    '33 %'
    """
    return f"{100 * fraction:.0f} %"


@register.filter
def eight_digits(probability: float) -> str:
    """Return a probability with eight significant digits, as the paper's list has them.

    >>> eight_digits(0.99606931), eight_digits(8.5782471e-05)
    ('0.99606931', '8.5782471e-05')
    """
    return f"{probability:.8g}"


@register.filter
def hundred(fraction: float) -> str:
    """Return a fraction of a bar of 100 units, for an SVG picture.

    >>> hundred(0.25)
    '25.00'
    """
    return f"{100 * fraction:.2f}"


@register.filter
def units(number: float) -> str:
    """Return a number of units for an SVG picture, whatever the language of the pages.

    >>> units(1 / 3)
    '0.333'
    """
    return f"{number:.3f}"


@register.filter
def score(number: float) -> str:
    """Return a score or a part of it.

    >>> score(0.73719), score(-0.1)
    ('0.737', '-0.100')
    """
    return f"{number:.3f}"

"""Numbers of a spec, which were read as floats, to the decimal text they were written as."""

from decimal import Decimal


def written(number: float) -> str:
    """The shortest decimal that reads back as the number, without an exponent.

    >>> written(12.0), written(0.000015)
    ('12', '0.000015')
    """
    return format(Decimal(repr(number)).normalize(), "f")

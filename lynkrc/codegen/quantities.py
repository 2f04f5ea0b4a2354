"""Seconds and bytes to text as people write it in a spec.

>>> duration(86400.0), duration(300.0), duration(90.0), duration(0.25), duration(1.5)
('1d', '5m', '90s', '250ms', '1.5s')
>>> size(64 * 1024 * 1024), size(1000)
('64MiB', '1000 bytes')
"""

_SECONDS = (("d", 86_400), ("h", 3_600), ("m", 60))
_BYTES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def duration(seconds: float) -> str:
    """The largest unit that leaves a whole number; below a second, milliseconds."""
    for unit, length in _SECONDS:
        if seconds % length == 0 and seconds > 0:
            return f"{int(seconds // length)}{unit}"
    milliseconds = seconds * 1000
    if seconds < 1 and milliseconds == int(milliseconds):
        return f"{int(milliseconds)}ms"
    return f"{int(seconds) if seconds == int(seconds) else seconds}s"


def size(number: int) -> str:
    """The largest unit that leaves a whole number."""
    for unit, length in _BYTES:
        if number % length == 0 and number > 0:
            return f"{number // length}{unit}"
    return f"{number} bytes"

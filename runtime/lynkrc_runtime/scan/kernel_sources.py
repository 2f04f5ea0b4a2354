"""The kernel's sources to one number, which the extension built of them tells when it is imported.

In a checkout the sources change and the extension stays until it is built anew.
"""

from pathlib import Path
from zlib import crc32

FOLDER = Path(__file__).parent
_MADE = "_kernel.c"
"""Made of _kernel.pyx."""


def c_files(folder: Path = FOLDER) -> list[str]:
    """Names of the C files that are written by hand, all of which are the kernel."""
    return sorted(path.name for path in folder.glob("*.c") if path.name != _MADE)


def kernel_sources(folder: Path = FOLDER) -> int | None:
    """32 bits that differ where the sources in the folder do; None where there are none."""
    paths = [path for path in folder.iterdir() if path.suffix in (".c", ".h", ".pxi", ".pyx")]
    paths = sorted(path for path in paths if path.name != _MADE)
    number = 0
    for path in paths:
        number = crc32(path.read_bytes(), crc32(path.name.encode(), number))
    return number if paths else None

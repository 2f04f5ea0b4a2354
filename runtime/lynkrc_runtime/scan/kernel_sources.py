"""The kernel's sources to one number, which the extension built of them tells when it is imported.

In a checkout the sources change and the extension stays until it is built anew.
"""

from pathlib import Path
from zlib import crc32

FOLDER = Path(__file__).parent


def kernel_sources(folder: Path = FOLDER) -> int | None:
    """32 bits that differ where the sources in the folder do; None where there are none."""
    paths = [path for path in folder.iterdir() if path.suffix in (".c", ".h", ".pyx")]
    # _kernel.c is made of _kernel.pyx.
    paths = sorted(path for path in paths if path.name != "_kernel.c")
    number = 0
    for path in paths:
        number = crc32(path.read_bytes(), crc32(path.name.encode(), number))
    return number if paths else None

"""A bundle with native code to the line that says what of it is native."""

import io
import zipfile


def native_line(bundle: bytes) -> str:
    """Which platform the library of a bundle is for, its size, and what made it here."""
    # Imported here: a portable build does not ask for a compiler.
    from lynkrc.native.toolchain import toolchain

    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        libraries = [one for one in archive.infolist() if one.filename.startswith("native/")]
    held = ", ".join(f"{one.filename.split('/')[1]}, {one.file_size:,} bytes" for one in libraries)
    return f"{held}, by {toolchain()}"

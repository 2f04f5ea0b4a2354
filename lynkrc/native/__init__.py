"""The generated scorer to an extension module."""

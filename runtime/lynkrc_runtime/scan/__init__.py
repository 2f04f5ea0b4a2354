"""The pattern kernel: which lexicon entries occur in a text."""

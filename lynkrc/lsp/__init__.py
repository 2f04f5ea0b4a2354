"""The language server: documents of an editor to findings, hovers, completions and places."""

"""The text of an ask to the words, and pairs of words, that an entry of a lexicon finds in it.

Folding and the edges of words are those of the automaton: a word is a run of word characters, a
blank of an entry is 1 to 8 white-space characters or hyphens. An apostrophe is no word character,
but nobody takes ``don't`` for two words, so what stands on both sides of one is found as a whole
and in its parts; only the whole is worth being a term.

>>> sorted(grams("Don't stop").whole), sorted(grams("Don't stop").present)
(["don't", 'stop'], ['don', "don't", 'stop', 't', 't stop'])
"""

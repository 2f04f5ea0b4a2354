/* Text to how many words, sentences, lines and marks it has, in one pass. Plain C11 without Python.
 *
 * The meaning is that of text_counts.py, which is what the tests compare it with. */
#ifndef LYNKRC_SCAN_COUNTS_H
#define LYNKRC_SCAN_COUNTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t bytes; /* in UTF-8, where half a surrogate pair takes three */
    size_t cjk;   /* characters */
    size_t words;
    size_t sentences;
    size_t longest; /* characters of the longest sentence, trimmed, its stop included */
    size_t lines;   /* with anything but blanks */
    size_t commas, periods, parens, quotes, questions; /* parens: opening ones */
} lk_counts;

/* What a code point folds to, see fold.py: above ASCII letters, marks and numbers only. */
typedef uint32_t (*lk_fold_one)(const void *folds, uint32_t code);

/* Of ASCII text. */
lk_counts lk_count_ascii(const unsigned char *text, size_t length);

/* Of code points; any numbers are safe. `folds` is handed to `fold` with every one above ASCII. */
lk_counts lk_count_codes(const uint32_t *codes, size_t length, lk_fold_one fold, const void *folds);

#endif

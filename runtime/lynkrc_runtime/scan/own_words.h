/* A text of a user's message, as JSON text, to whether it holds words of the user's own, as far as that
 * can be told without knowing what clients put around them. Plain C11 without Python.
 *
 * The meaning is that of `authored` of injected.py: a client's tags count in a text with a closing tag
 * alone, white space around the words never does, and a text that begins with a client's prefix is
 * the client's. What is not certain is LK_LOOK, which is always right. */
#ifndef LYNKRC_SCAN_OWN_WORDS_H
#define LYNKRC_SCAN_OWN_WORDS_H

#include "json_text.h"

typedef enum {
    LK_NOTHING, /* surely none */
    LK_LOOK,    /* not known */
    LK_WORDS    /* some, unless they begin with a prefix */
} lk_own;

typedef struct {
    lk_own own;
    size_t texts;      /* how many there are */
    size_t begin, end; /* of the last text with words, with the quotes; of LK_WORDS alone */
    size_t words;      /* where they begin in it */
} lk_said;

/* Takes one more text of the message, the string that was read. */
void lk_hear(lk_said *said, const lk_json *json, const lk_string *string);

/* Whether the words that begin at `at`, in a string that was read, may begin with one of the prefixes:
 * 0 where they surely do not. Each prefix is UTF-8 behind its size in four bytes, the lowest first. */
int lk_may_begin(const unsigned char *text, size_t at, const unsigned char *prefixes, size_t size);

#endif

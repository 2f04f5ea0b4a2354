/* JSON text to where its values end and what they are, without making any. Plain C11 without Python.
 *
 * Stricter than JSON where that is simpler: what is not taken here is read by others. Nothing is
 * said of whether the bytes are UTF-8. */
#ifndef LYNKRC_SCAN_JSON_TEXT_H
#define LYNKRC_SCAN_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define LK_DEEPEST 64

typedef struct {
    const unsigned char *text;
    size_t at, end;
} lk_json;

/* Kinds of values. */
enum { LK_WRONG = 0, LK_STRING, LK_OBJECT, LK_LIST, LK_NUMBER, LK_TRUE, LK_FALSE, LK_NULL };

typedef struct {
    size_t begin, end;  /* between the quotes */
    uint64_t characters; /* code points when unescaped, of ASCII text */
    uint64_t weight;    /* see estimate.py: 5 for a byte, 12 for a CJK character */
    int is_escaped;     /* has a backslash */
    int is_ascii;       /* when unescaped */
    int is_odd;         /* has an escape that is not the only way to write what it means */
} lk_string;

/* What stands at `at`, behind white space: the first byte, 0 at the end. */
unsigned char lk_peek(lk_json *json);

/* A string at `at`: 1, and `at` behind it; 0 where it is none. */
int lk_read_string(lk_json *json, lk_string *found);

/* Any value at `at`: its kind, and `at` behind it. `key` is the same for values that say the same,
 * whatever the white space and the order of members, as far as `is_odd` stays 0: it is set where
 * numbers, escapes or repeated members could be spelled otherwise. */
int lk_read_value(lk_json *json, unsigned depth, uint64_t *key, int *is_odd);

/* Parts of a token that UTF-8 text weighs. */
uint64_t lk_weigh(const unsigned char *text, size_t length);

#endif

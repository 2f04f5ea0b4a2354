/* JSON text to where its values end and what they weigh, without making any. Plain C11 without
 * Python.
 *
 * Stricter than JSON where that is simpler: what is not taken here is read by others. That the bytes
 * are UTF-8 is not looked at; of others everything said may be wrong, but nothing beyond `end` is
 * read. */
#ifndef LYNKRC_SCAN_JSON_TEXT_H
#define LYNKRC_SCAN_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define LK_DEEPEST 64u /* values in values */

/* Twentieths of a token: what a byte weighs, and a character of CJK. */
enum { LK_PER_BYTE = 5, LK_PER_CJK = 12 };

typedef struct {
    const unsigned char *text;
    size_t at, end;
    int has_wide; /* bytes that are not ASCII have been met, which are in strings alone */
} lk_json;

typedef enum {
    LK_WRONG, /* none, or not taken */
    LK_STRING,
    LK_OBJECT,
    LK_LIST,
    LK_NUMBER,
    LK_BOOLEAN,
    LK_NULL
} lk_kind;

typedef struct {
    size_t begin, end; /* between the quotes */
    uint64_t weight;   /* when unescaped, see lk_weigh */
    int is_ascii;      /* when unescaped */
    int is_escaped;    /* a backslash is in it */
    int is_odd;        /* an escape is in it that is not the only way to write what it means */
    int is_tagged;     /* an escape writes `<` in it */
} lk_string;

/* The first byte behind white space, which is left behind; 0 at the end. */
static inline unsigned char lk_peek(lk_json *json) {
    for (; json->at < json->end; json->at++) {
        unsigned char byte = json->text[json->at];
        if (byte > ' ') return byte;
        if (byte != ' ' && byte != '\n' && byte != '\t' && byte != '\r') return byte;
    }
    return 0;
}

/* The number that four hexadecimal digits write. */
static inline uint32_t lk_hex_at(const unsigned char *text) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char byte = text[i];
        unit = unit << 4 | (uint32_t)(byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10);
    }
    return unit;
}

static inline int lk_is_cjk(uint32_t code) {
    return (code >= 0x3040 && code <= 0x30FF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0xAC00 && code <= 0xD7AF) ||
           (code >= 0xF900 && code <= 0xFAFF);
}

/* The string that begins here, and goes behind it; 0 where there is none. */
int lk_read_string(lk_json *json, lk_string *found);

/* The kind of the value that begins here, and goes behind it.
 *
 * `key` becomes the same for values that say the same, whatever the white space and the order of
 * members. Values that could be spelled in other ways still (numbers with a fraction, `\u0061`,
 * members that repeat) set `is_odd`; it is never cleared. */
lk_kind lk_read_value(lk_json *json, unsigned depth, uint64_t *key, int *is_odd);

/* The name of the next member of the object that `{` opened, and goes to its value: 1; behind the
 * object: 0; -1 where neither is there. `count` members came before. */
int lk_next_member(lk_json *json, size_t count, lk_string *name);

/* The same of a list: 1 before an item, 0 behind the list. */
int lk_next_item(lk_json *json, size_t count);

/* A key of bytes. */
uint64_t lk_key(const unsigned char *text, size_t size, uint64_t seed);

/* Both in one, in this order. */
uint64_t lk_join_keys(uint64_t first, uint64_t second);

/* Twentieths of a token that UTF-8 text weighs, as `weigh` of estimate.py. */
uint64_t lk_weigh(const unsigned char *text, size_t size);

#endif

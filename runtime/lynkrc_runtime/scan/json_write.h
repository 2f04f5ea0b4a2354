/* Pieces of JSON text into the text of another dialect's messages: what its writers share. Plain
 * C11 without Python.
 *
 * A writer runs twice: without `out` it counts the bytes. */
#ifndef LYNKRC_SCAN_JSON_WRITE_H
#define LYNKRC_SCAN_JSON_WRITE_H

#include "chat_turns.h"

#include <string.h>

typedef struct {
    unsigned char *out; /* NULL where bytes are counted */
    size_t size;
} lk_writer;

static inline void lk_put(lk_writer *writer, const void *text, size_t size) {
    if (writer->out) memcpy(writer->out + writer->size, text, size);
    writer->size += size;
}

#define LK_PUT(writer, word) lk_put(writer, word, sizeof(word) - 1)

static inline void lk_put_span(lk_writer *writer, const unsigned char *text, lk_span span) {
    lk_put(writer, text + span.begin, span.end - span.begin);
}

/* Letters, digits, `_` and `-`, and not too many. */
static inline int lk_is_legal(const unsigned char *text, lk_span span, size_t most) {
    if (span.end == span.begin || span.end - span.begin > most) return 0;
    for (size_t at = span.begin; at < span.end; at++) {
        unsigned char byte = text[at], letter = byte | 0x20;
        int is_word = (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9');
        if (!is_word && byte != '_' && byte != '-') return 0;
    }
    return 1;
}

static inline int lk_are_alike(const unsigned char *text, lk_span one, lk_span other) {
    size_t size = one.end - one.begin;
    return size == other.end - other.begin &&
           memcmp(text + one.begin, text + other.begin, size) == 0;
}

#endif

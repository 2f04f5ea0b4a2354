#include "own_words.h"

#include <string.h>

/* Whether it is surely no white space, nor what is not looked at closely. */
static int is_word(uint32_t code) {
    return (code > ' ' && code < 0x7F) || (code > 0xA0 && code < 0x1680) || code > 0x3000;
}

/* The same of the character at `at`. */
static int is_word_at(const unsigned char *text, size_t at) {
    unsigned char byte = text[at];
    if (byte == '\\') {
        byte = text[at + 1];
        return byte == 'u' ? is_word(lk_hex_at(text + at + 2)) : byte != 'b';
    }
    if (byte < 0x80) return is_word(byte);
    /* White space beyond U+0080 begins with the others. */
    return byte == 0xE3 ? text[at + 1] > 0x80 : byte > 0xC2 && byte != 0xE1 && byte != 0xE2;
}

/* Whether a tag may be closed in the string. */
static int may_close_tags(const unsigned char *text, const lk_string *string) {
    size_t at = string->begin;
    const unsigned char *found;
    if (string->is_tagged) return 1;
    while (at < string->end && (found = memchr(text + at, '<', string->end - at)) != NULL) {
        /* A slash has other spellings. Behind the last character the quote is. */
        if (found[1] == '/' || found[1] == '\\') return 1;
        at = (size_t)(found - text) + 1;
    }
    return 0;
}

void lk_hear(lk_said *said, const lk_json *json, const lk_string *string) {
    const unsigned char *text = json->text;
    size_t at = string->begin;
    said->texts++;
    while (at < string->end) {
        if (text[at] == ' ') {
            at++;
            continue;
        }
        if (text[at] != '\\' || memchr("ntrf", text[at + 1], 4) == NULL) break;
        at += 2;
    }
    if (at == string->end) return;
    if (is_word_at(text, at) && !may_close_tags(text, string)) {
        said->own = LK_WORDS;
        said->begin = string->begin - 1;
        said->end = string->end + 1;
        said->words = at;
    } else if (said->own == LK_NOTHING) {
        said->own = LK_LOOK;
    }
}

/* The first byte in UTF-8 of the character that is spelled at `at`. */
static unsigned char first_byte(const unsigned char *text, size_t at) {
    uint32_t code;
    if (text[at] != '\\') return text[at];
    switch (text[at + 1]) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': break;
    default: return text[at + 1];
    }
    code = lk_hex_at(text + at + 2);
    if (code < 0x80) return (unsigned char)code;
    if (code < 0x800) return (unsigned char)(0xC0 | code >> 6);
    /* The first half of a pair stands for what lies beyond 16 bits. */
    if (code < 0xD800 || code > 0xDBFF) return (unsigned char)(0xE0 | code >> 12);
    return (unsigned char)(0xF0 | (0x10000 + ((code - 0xD800) << 10)) >> 18);
}

static int may_begin_with(const unsigned char *text, size_t at, const unsigned char *prefix,
                          size_t size) {
    for (size_t i = 0; i < size; i++, at++) {
        if (text[at] == '"') return 0; /* the string ends */
        if (first_byte(text, at) != prefix[i]) return 0;
        if (text[at] == '\\') return 1; /* no further */
    }
    return 1;
}

int lk_may_begin(const unsigned char *text, size_t at, const unsigned char *prefixes, size_t size) {
    for (size_t next = 0; size - next >= 4;) {
        const unsigned char *one = prefixes + next;
        size_t length = (size_t)one[0] | (size_t)one[1] << 8 | (size_t)one[2] << 16 |
                        (size_t)one[3] << 24;
        next += 4;
        if (length > size - next || may_begin_with(text, at, prefixes + next, length)) return 1;
        next += length;
    }
    return 0;
}

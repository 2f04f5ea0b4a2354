#include "json_text.h"

#include <string.h>

enum { MOST_NAMES = 32, MOST_DIGITS = 18 };

static inline int is_digit(unsigned char byte) { return byte >= '0' && byte <= '9'; }

/* Where plain text ends: at a quote, a backslash, a control character, what is not ASCII. */
#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>

static inline __m128i ends_in(const unsigned char *text) {
    __m128i some = _mm_loadu_si128((const __m128i *)(const void *)text);
    /* Signed: what is not ASCII is less than a blank, too. */
    return _mm_or_si128(_mm_cmplt_epi8(some, _mm_set1_epi8(' ')),
                        _mm_or_si128(_mm_cmpeq_epi8(some, _mm_set1_epi8('"')),
                                     _mm_cmpeq_epi8(some, _mm_set1_epi8('\\'))));
}

static inline size_t plain_end(const unsigned char *text, size_t at, size_t end) {
    /* Most strings are short, and most of the bytes are in long ones. */
    for (int few = 0; few < 2 && end - at >= 16; few++, at += 16) {
        unsigned found = (unsigned)_mm_movemask_epi8(ends_in(text + at));
        if (found) return at + (size_t)__builtin_ctz(found);
    }
    for (; end - at >= 64; at += 64) {
        __m128i first = _mm_or_si128(ends_in(text + at), ends_in(text + at + 16));
        __m128i second = _mm_or_si128(ends_in(text + at + 32), ends_in(text + at + 48));
        if (_mm_movemask_epi8(_mm_or_si128(first, second))) break;
    }
    while (end - at >= 16) {
        unsigned found = (unsigned)_mm_movemask_epi8(ends_in(text + at));
        if (found) return at + (size_t)__builtin_ctz(found);
        at += 16;
    }
    while (at < end && text[at] >= ' ' && text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
        at++;
    return at;
}

static inline size_t ascii_end(const unsigned char *text, size_t at, size_t end) {
    while (end - at >= 16) {
        __m128i some = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        unsigned found = (unsigned)_mm_movemask_epi8(some);
        if (found) return at + (size_t)__builtin_ctz(found);
        at += 16;
    }
    while (at < end && text[at] < 0x80) at++;
    return at;
}
#else
static inline size_t plain_end(const unsigned char *text, size_t at, size_t end) {
    while (at < end && text[at] >= ' ' && text[at] < 0x80 && text[at] != '"' && text[at] != '\\')
        at++;
    return at;
}

static inline size_t ascii_end(const unsigned char *text, size_t at, size_t end) {
    while (at < end && text[at] < 0x80) at++;
    return at;
}
#endif

static inline int goes_on(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/* Behind the bytes here that are not ASCII. */
static size_t wide_end(const unsigned char *text, size_t at, size_t end, uint64_t *weight) {
    while (at < end && text[at] >= 0x80) {
        if (text[at] >> 4 == 0xE && end - at >= 3 && goes_on(text[at + 1]) &&
            goes_on(text[at + 2])) {
            uint32_t code = (text[at] & 0xFu) << 12 | (text[at + 1] & 0x3Fu) << 6 |
                            (text[at + 2] & 0x3Fu);
            *weight += lk_is_cjk(code) ? LK_PER_CJK : 3 * LK_PER_BYTE;
            at += 3;
        } else {
            *weight += LK_PER_BYTE;
            at++;
        }
    }
    return at;
}

uint64_t lk_weigh(const unsigned char *text, size_t size) {
    uint64_t weight = 0;
    size_t at = 0;
    while (at < size) {
        size_t stop = ascii_end(text, at, size);
        weight += LK_PER_BYTE * (uint64_t)(stop - at);
        at = wide_end(text, stop, size, &weight);
    }
    return weight;
}

/* The number that `\uXXXX` writes at `at`; more than any where there is none. */
static uint32_t unit_at(const lk_json *json, size_t at) {
    uint32_t unit = 0;
    if (json->end - at < 6 || json->text[at] != '\\' || json->text[at + 1] != 'u') return 0x10000;
    for (size_t i = at + 2; i < at + 6; i++) {
        unsigned char byte = json->text[i], letter = byte | 0x20;
        if (is_digit(byte))
            unit = unit << 4 | (uint32_t)(byte - '0');
        else if (letter >= 'a' && letter <= 'f')
            unit = unit << 4 | (uint32_t)(letter - 'a' + 10);
        else
            return 0x10000;
    }
    return unit;
}

/* Behind the escape at `at`; 0 where it is none. */
static size_t escape_end(const lk_json *json, size_t at, lk_string *found) {
    uint32_t unit, low;
    if (json->end - at < 2) return 0;
    found->is_escaped = 1;
    switch (json->text[at + 1]) {
    case '/': found->is_odd = 1; /* fall through */
    case '"':
    case '\\':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': found->weight += LK_PER_BYTE; return at + 2;
    default: break;
    }
    unit = unit_at(json, at);
    if (unit > 0xFFFF || (unit >= 0xDC00 && unit <= 0xDFFF)) return 0;
    found->is_odd = 1;
    found->is_ascii &= unit < 0x80;
    found->is_tagged |= unit == '<';
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        low = unit_at(json, at + 6);
        if (low < 0xDC00 || low > 0xDFFF) return 0;
        found->weight += 4 * LK_PER_BYTE;
        return at + 12;
    }
    found->weight += lk_is_cjk(unit)   ? LK_PER_CJK
                     : unit < 0x80  ? LK_PER_BYTE
                     : unit < 0x800 ? 2 * LK_PER_BYTE
                                    : 3 * LK_PER_BYTE;
    return at + 6;
}

int lk_read_string(lk_json *json, lk_string *found) {
    const unsigned char *text = json->text;
    size_t at = json->at, end = json->end;
    if (at >= end || text[at] != '"') return 0;
    *found = (lk_string){.begin = ++at, .is_ascii = 1};
    for (;;) {
        size_t stop = plain_end(text, at, end);
        found->weight += LK_PER_BYTE * (uint64_t)(stop - at);
        if (stop >= end) return 0;
        if (text[stop] == '"') {
            found->end = stop;
            json->at = stop + 1;
            return 1;
        }
        if (text[stop] == '\\') {
            at = escape_end(json, stop, found);
            if (at == 0) return 0;
        } else if (text[stop] >= 0x80) {
            found->is_ascii = 0;
            json->has_wide = 1;
            at = wide_end(text, stop, end, &found->weight);
        } else {
            return 0;
        }
    }
}

static inline uint64_t mix(uint64_t key) {
    key ^= key >> 32;
    key *= UINT64_C(0x9E3779B97F4A7C15);
    return key ^ key >> 29;
}

uint64_t lk_join_keys(uint64_t first, uint64_t second) { return mix(mix(first) + second); }

uint64_t lk_key(const unsigned char *text, size_t size, uint64_t seed) {
    uint64_t key = mix(seed + size), part = 0;
    for (; size >= 8; text += 8, size -= 8) {
        memcpy(&part, text, 8);
        key = mix(key ^ part);
    }
    part = 0;
    memcpy(&part, text, size);
    return mix(key ^ part);
}

static int read_number(lk_json *json, uint64_t *key, int *is_odd) {
    const unsigned char *text = json->text;
    size_t begin = json->at, end = json->end, at = begin, digits;
    if (at < end && text[at] == '-') at++;
    digits = at;
    while (at < end && is_digit(text[at])) at++;
    /* No zero before others. */
    if (at == digits || (text[digits] == '0' && at - digits > 1)) return 0;
    *is_odd |= at - digits > MOST_DIGITS || (digits > begin && text[digits] == '0');
    if (at < end && text[at] == '.') {
        size_t point = ++at;
        *is_odd = 1;
        while (at < end && is_digit(text[at])) at++;
        if (at == point) return 0;
    }
    if (at < end && (text[at] | 0x20) == 'e') {
        size_t exponent;
        *is_odd = 1;
        if (++at < end && (text[at] == '+' || text[at] == '-')) at++;
        exponent = at;
        while (at < end && is_digit(text[at])) at++;
        if (at == exponent) return 0;
    }
    *key = lk_key(text + begin, at - begin, LK_NUMBER);
    json->at = at;
    return 1;
}

static int read_word(lk_json *json, const char *word, size_t size) {
    if (json->end - json->at < size || memcmp(json->text + json->at, word, size) != 0) return 0;
    json->at += size;
    return 1;
}

int lk_next_item(lk_json *json, size_t count) {
    unsigned char byte = lk_peek(json);
    if (byte == ']') {
        json->at++;
        return 0;
    }
    if (count > 0) {
        if (byte != ',') return -1;
        json->at++;
        lk_peek(json);
    }
    return 1;
}

int lk_next_member(lk_json *json, size_t count, lk_string *name) {
    unsigned char byte = lk_peek(json);
    if (byte == '}') {
        json->at++;
        return 0;
    }
    if (count > 0) {
        if (byte != ',') return -1;
        json->at++;
        lk_peek(json);
    }
    if (!lk_read_string(json, name) || lk_peek(json) != ':') return -1;
    json->at++;
    lk_peek(json);
    return 1;
}

static lk_kind read_list(lk_json *json, unsigned depth, uint64_t *key, int *is_odd) {
    uint64_t all = LK_LIST;
    int more;
    json->at++;
    for (size_t count = 0; (more = lk_next_item(json, count)) == 1; count++) {
        uint64_t one = 0;
        if (lk_read_value(json, depth + 1, &one, is_odd) == LK_WRONG) return LK_WRONG;
        all = lk_join_keys(all, one);
    }
    *key = all;
    return more == 0 ? LK_LIST : LK_WRONG;
}

static lk_kind read_object(lk_json *json, unsigned depth, uint64_t *key, int *is_odd) {
    uint64_t names[MOST_NAMES], all = 0;
    size_t count = 0;
    lk_string name;
    int more;
    json->at++;
    for (; (more = lk_next_member(json, count, &name)) == 1; count++) {
        uint64_t one = 0, named = lk_key(json->text + name.begin, name.end - name.begin, LK_STRING);
        *is_odd |= name.is_odd || count >= MOST_NAMES;
        for (size_t i = 0; i < count && i < MOST_NAMES; i++) *is_odd |= names[i] == named;
        if (count < MOST_NAMES) names[count] = named;
        if (lk_read_value(json, depth + 1, &one, is_odd) == LK_WRONG) return LK_WRONG;
        /* A sum, in which the order does not count. */
        all += lk_join_keys(named, one);
    }
    *key = lk_join_keys(LK_OBJECT, all);
    return more == 0 ? LK_OBJECT : LK_WRONG;
}

lk_kind lk_read_value(lk_json *json, unsigned depth, uint64_t *key, int *is_odd) {
    lk_string string;
    if (depth > LK_DEEPEST) return LK_WRONG;
    switch (lk_peek(json)) {
    case '"':
        if (!lk_read_string(json, &string)) return LK_WRONG;
        *is_odd |= string.is_odd;
        *key = lk_key(json->text + string.begin, string.end - string.begin, LK_STRING);
        return LK_STRING;
    case '{': return read_object(json, depth, key, is_odd);
    case '[': return read_list(json, depth, key, is_odd);
    case 't': *key = 't'; return read_word(json, "true", 4) ? LK_BOOLEAN : LK_WRONG;
    case 'f': *key = 'f'; return read_word(json, "false", 5) ? LK_BOOLEAN : LK_WRONG;
    case 'n': *key = 'n'; return read_word(json, "null", 4) ? LK_NULL : LK_WRONG;
    default: return read_number(json, key, is_odd) ? LK_NUMBER : LK_WRONG;
    }
}

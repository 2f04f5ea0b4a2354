#include "folding.h"

#include "room.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the table is read in place: only for little endian machines"
#endif

#define PAGE 128
#define PAGES (0x110000 / PAGE)
#define FIXED 5 /* actions before it do not add */
#define SYMBOL 1
#define BLOCK 64
#define BLOCKS (0x10000 / BLOCK)

static const unsigned char fixed[FIXED] = {0, SYMBOL, ' ', '-', '\''};

static inline uint32_t folded(const lk_folds *folds, uint32_t code) {
    unsigned action = SYMBOL;
    if (code < 0x110000) action = folds->pages[folds->page_of[code / PAGE] * PAGE + code % PAGE];
    return (code & folds->keep[action]) + folds->add[action];
}

/* UTF-8, the first byte lowest; what no form of 4 bytes holds is cut off. */
static inline uint32_t utf8_of(uint32_t code) {
    uint32_t last = 0x80 | (code & 0x3F), middle = 0x80 | (code >> 6 & 0x3F);
    if (code < 0x80) return code;
    if (code < 0x800) return 0xC0 | code >> 6 | last << 8;
    if (code < 0x10000) return 0xE0 | code >> 12 | middle << 8 | last << 16;
    return 0xF0 | (code >> 18 & 7) | (0x80 | (code >> 12 & 0x3F)) << 8 | middle << 16 | last << 24;
}

static inline uint32_t size_of(uint32_t code) {
    return 1u + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000);
}

/* ASCII is folded without the table, too: 16 characters at once, or as the kernel reads them. */
static inline uint32_t ascii_folded(uint32_t code) {
    return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code ? code : SYMBOL;
}

/* Whether all code points of the block stay as they are, and have several bytes. */
static int stays(const lk_folds *folds, uint32_t block) {
    uint32_t first = block * BLOCK;
    for (uint32_t code = first; code < first + BLOCK; code++)
        if (code < 0x80 || folded(folds, code) != code) return 0;
    return 1;
}

const char *lk_encode(lk_encoded *encoded, const lk_folds *folds) {
    /* Blocks of 2 and of 3 bytes that stay share their numbers: `each` begins with those. */
    uint32_t used = 2 * BLOCK, needed = 2 * BLOCK;
    memset(encoded, 0, sizeof *encoded);
    for (uint32_t block = 0; block < BLOCKS; block++) needed += stays(folds, block) ? 0 : BLOCK;
    uint32_t *each = encoded->each = malloc(needed * sizeof *each);
    if (!each) return LK_NO_MEMORY;
    for (uint32_t i = 0; i < BLOCK; i++) {
        each[i] = i << 8;
        each[BLOCK + i] = i << 16;
    }
    for (uint32_t block = 0; block < BLOCKS; block++) {
        uint32_t first = block * BLOCK;
        if (stays(folds, block)) {
            encoded->base[block] = utf8_of(first) | size_of(first) << 24;
            encoded->start[block] = first < 0x800 ? 0 : BLOCK;
            continue;
        }
        encoded->start[block] = used;
        for (uint32_t i = 0; i < BLOCK; i++) {
            uint32_t code = folded(folds, first + i);
            if (code >= 0x10000) return "fold table points beyond 16 bits";
            if (first < 0x80 && code != ascii_folded(first + i)) return "fold table changes ASCII";
            each[used++] = utf8_of(code) | size_of(code) << 24;
        }
    }
    return NULL;
}

void lk_release_encoded(lk_encoded *encoded) {
    free(encoded->each);
    encoded->each = NULL;
}

const char *lk_bind_folds(lk_folds *folds, const unsigned char *data, size_t size) {
    uint32_t head[2];
    if ((uintptr_t)data % 4 != 0) return "fold table is not aligned";
    if (size < 4 + sizeof head || memcmp(data, "LKF1", 4) != 0) return "not a fold table (LKF1)";
    memcpy(head, data + 4, sizeof head);
    uint64_t actions = head[0], pages = head[1];
    if (actions < FIXED || actions > 256 || pages == 0 || pages > PAGES ||
        size != 12 + actions * 4 + PAGES * 2 + pages * PAGE)
        return "fold table has an impossible head";
    const uint32_t *deltas = (const uint32_t *)(const void *)(data + 12);
    for (size_t action = 0; action < actions; action++) {
        int fixes = action > 0 && action < FIXED;
        folds->keep[action] = fixes ? 0 : UINT32_MAX;
        folds->add[action] = fixes ? fixed[action] : deltas[action];
    }
    folds->page_of = (const uint16_t *)(const void *)(data + 12 + actions * 4);
    folds->pages = data + 12 + actions * 4 + PAGES * 2;
    for (size_t i = 0; i < PAGES; i++)
        if (folds->page_of[i] >= pages) return "fold table points outside itself";
    for (size_t i = 0; i < pages * PAGE; i++)
        if (folds->pages[i] >= actions) return "fold table points outside itself";
    return NULL;
}

uint32_t lk_fold_code(const void *folds, uint32_t code) { return folded(folds, code); }

#if defined(__SSE2__)
#define TOGETHER 16

/* Folds the next 16 code points where all are ASCII; else 0. Reads all of them before it writes, so
 * it may write over them. */
static inline int fold_ascii(const uint32_t *codes, unsigned char *out) {
    const __m128i *from = (const __m128i *)(const void *)codes;
    __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
    __m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
    __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)), zero = _mm_setzero_si128();
    any = _mm_cmpeq_epi32(_mm_srli_epi32(any, 7), zero);
    if (_mm_movemask_epi8(any) != 0xFFFF) return 0;
    __m128i text = _mm_packus_epi16(_mm_packs_epi32(a, b), _mm_packs_epi32(c, d));
    __m128i large = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('A' - 1)),
                                  _mm_cmplt_epi8(text, _mm_set1_epi8('Z' + 1)));
    text = _mm_add_epi8(text, _mm_and_si128(large, _mm_set1_epi8('a' - 'A')));
    text = _mm_sub_epi8(text, _mm_cmpeq_epi8(text, zero)); /* NUL to SYMBOL */
    _mm_storeu_si128((__m128i *)(void *)out, text);
    return 1;
}
#endif

size_t lk_fold(const lk_folds *folds, const lk_encoded *encoded, uint32_t *codes, size_t count) {
    unsigned char *const start = (unsigned char *)codes, *out = start;
    const uint32_t *const each = encoded->each; /* what is written could be it, for the compiler */
    for (size_t i = 0; i < count;) {
        size_t stop = count;
#if defined(__SSE2__)
        if (count - i >= TOGETHER) {
            stop = i + TOGETHER;
            if (fold_ascii(codes + i, out)) {
                i = stop;
                out += TOGETHER;
                continue;
            }
        }
#endif
        /* Scripts are mixed without a pattern: what is not rare goes without a branch, and of what
         * is written, 4 bytes, no more is kept than the form has. A code point is read before any
         * of its 4 bytes is written over. */
        for (; i < stop; i++) {
            uint32_t code = codes[i], bytes, size;
            if (code < 0x10000) {
                bytes = encoded->base[code / BLOCK];
                bytes += each[encoded->start[code / BLOCK] + code % BLOCK];
                size = bytes >> 24;
            } else {
                code = folded(folds, code);
                bytes = utf8_of(code);
                size = size_of(code);
            }
            memcpy(out, &bytes, 4);
            out += size;
        }
    }
    return (size_t)(out - start);
}

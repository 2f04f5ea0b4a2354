#include "folding.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the table is read in place: only for little endian machines"
#endif

#define PAGE 128
#define PAGES (0x110000 / PAGE)
#define FIXED 5 /* actions before it do not add */
#define SYMBOL 1

static const unsigned char fixed[FIXED] = {0, SYMBOL, ' ', '-', '\''};

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

static inline uint32_t folded(const lk_folds *folds, uint32_t code) {
    unsigned action = SYMBOL;
    if (code < 0x110000) action = folds->pages[folds->page_of[code / PAGE] * PAGE + code % PAGE];
    return (code & folds->keep[action]) + folds->add[action];
}

uint32_t lk_fold_code(const void *folds, uint32_t code) { return folded(folds, code); }

size_t lk_fold(const lk_folds *folds, uint32_t *codes, size_t count) {
    unsigned char *const start = (unsigned char *)codes, *out = start;
    for (size_t i = 0; i < count; i++) {
        /* Read before any of its 4 bytes is written over. */
        uint32_t code = folded(folds, codes[i]), size;
        /* Scripts are mixed without a pattern, so all forms but the rarest are made, and one taken;
         * of what is written, 4 bytes, no more is kept than the form has. */
        uint32_t last = 0x80 | (code & 0x3F), middle = 0x80 | (code >> 6 & 0x3F);
        uint32_t two = 0xC0 | code >> 6 | last << 8;
        uint32_t three = 0xE0 | code >> 12 | middle << 8 | last << 16;
        uint32_t bytes = code < 0x80 ? code : code < 0x800 ? two : three;
        size = 1u + (code >= 0x80) + (code >= 0x800);
        if (code >= 0x10000) {
            bytes = 0xF0 | (code >> 18 & 7) | (0x80 | (code >> 12 & 0x3F)) << 8 | middle << 16 |
                    last << 24;
            size = 4;
        }
        memcpy(out, &bytes, 4);
        out += size;
    }
    return (size_t)(out - start);
}

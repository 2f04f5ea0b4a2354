#include "folding.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the table is read in place: only for little endian machines"
#endif

#define PAGE 128
#define PAGES (0x110000 / PAGE)
#define FIXED 5 /* actions that do not add */
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
    folds->deltas = (const int32_t *)(const void *)(data + 12);
    folds->page_of = (const uint16_t *)(const void *)(data + 12 + actions * 4);
    folds->pages = data + 12 + actions * 4 + PAGES * 2;
    for (size_t i = 0; i < PAGES; i++)
        if (folds->page_of[i] >= pages) return "fold table points outside itself";
    for (size_t i = 0; i < pages * PAGE; i++)
        if (folds->pages[i] >= actions) return "fold table points outside itself";
    return NULL;
}

size_t lk_fold(const lk_folds *folds, uint32_t *codes, size_t count) {
    unsigned char *const start = (unsigned char *)codes, *out = start;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = codes[i]; /* read before any of its 4 bytes is written over */
        unsigned action = SYMBOL;
        if (code < 0x110000) action = folds->pages[folds->page_of[code / PAGE] * PAGE + code % PAGE];
        if (action != 0) {
            code = action < FIXED ? fixed[action] : code + (uint32_t)folds->deltas[action];
        }
        /* Four bytes are written whatever is needed: they end where `code` was read at most. */
        uint32_t bytes, size;
        if (code < 0x80) {
            bytes = code, size = 1;
        } else if (code < 0x800) {
            bytes = 0x80C0 | code >> 6 | (code & 0x3F) << 8, size = 2;
        } else if (code < 0x10000) {
            bytes = 0x8080E0 | code >> 12 | (code >> 6 & 0x3F) << 8 | (code & 0x3F) << 16, size = 3;
        } else {
            bytes = 0x808080F0 | (code >> 18 & 7) | (code >> 12 & 0x3F) << 8 |
                    (code >> 6 & 0x3F) << 16 | (code & 0x3F) << 24;
            size = 4;
        }
        memcpy(out, &bytes, 4);
        out += size;
    }
    return (size_t)(out - start);
}

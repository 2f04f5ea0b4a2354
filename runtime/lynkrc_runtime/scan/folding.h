/* Folding outside ASCII, by the table fold.bin (see fold.py). Plain C11 without Python. */
#ifndef LYNKRC_SCAN_FOLDING_H
#define LYNKRC_SCAN_FOLDING_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint16_t *page_of;    /* by code point / 128 */
    const unsigned char *pages; /* actions by code point % 128 */
    uint32_t keep[256];         /* by action: the bits of the code point that stay */
    uint32_t add[256];          /* by action: what is added then */
} lk_folds;

/* Checks the table; NULL, or what is wrong with it. `data` must outlive the view and be aligned to
 * 4 bytes. */
const char *lk_bind_folds(lk_folds *folds, const unsigned char *data, size_t size);

/* Folds code points where they stand: the same memory then holds the folded text in UTF-8. Its size
 * in bytes, 4 for each code point at most. Any numbers are safe. */
size_t lk_fold(const lk_folds *folds, uint32_t *codes, size_t count);

/* What one code point folds to; any number is safe. `folds` is an lk_folds: an lk_fold_one. */
uint32_t lk_fold_code(const void *folds, uint32_t code);

#endif

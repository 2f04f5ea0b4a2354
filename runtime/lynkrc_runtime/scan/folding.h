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

/* Code points below 0x10000 to the UTF-8 of what they fold to, its size in the highest byte: the
 * sum of a number for the 64 code points that stand together and one for each of them. Where all 64
 * stay as they are, as in most scripts without cases, the latter are shared by all such blocks. */
typedef struct {
    uint32_t base[1024];  /* by code point / 64 */
    uint32_t start[1024]; /* the same: where its numbers start in `each` */
    uint32_t *each;
} lk_encoded;

/* Checks the table; NULL, or what is wrong with it. `data` must outlive the view and be aligned to
 * 4 bytes. */
const char *lk_bind_folds(lk_folds *folds, const unsigned char *data, size_t size);

/* Makes what lk_fold reads, about a hundred kilobytes; NULL, or why it cannot be made, LK_NO_MEMORY
 * (room.h) among them. Its memory is freed by lk_release_encoded, which may be called after a
 * failure too. */
const char *lk_encode(lk_encoded *encoded, const lk_folds *folds);
void lk_release_encoded(lk_encoded *encoded);

/* Folds code points where they stand: the same memory then holds the folded text in UTF-8. Its size
 * in bytes, 4 for each code point at most. Any numbers are safe. */
size_t lk_fold(const lk_folds *folds, const lk_encoded *encoded, uint32_t *codes, size_t count);

/* What one code point folds to; any number is safe. `folds` is an lk_folds: an lk_fold_one. */
uint32_t lk_fold_code(const void *folds, uint32_t code);

#endif

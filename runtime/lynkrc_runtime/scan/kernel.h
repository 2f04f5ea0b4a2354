/* The pattern kernel: runs the automaton of a lexicon table (LKD3, see tables.py) over folded text.
 *
 * Plain C11 without Python, so that sanitisers and fuzzers run it as it is. A table is checked
 * whole when it is bound; after that no text can lead outside it. */
#ifndef LYNKRC_SCAN_KERNEL_H
#define LYNKRC_SCAN_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define LK_MAX_COUNT 255u
/* Longest text, in folded bytes: what counters of 32 bits surely hold. */
#define LK_MAX_TEXT ((size_t)0x7fffffff)

/* A checked view of a table. It points into the bytes it was bound to, and owns only lexicon_of. */
typedef struct {
    const unsigned char *byte_class;
    const void *cells;
    const uint32_t *moves;           /* of each accepting state: the first cell of its row */
    const uint32_t *entry_offsets;   /* of each accepting state, their number + 1 */
    const uint32_t *lexicon_offsets; /* the same */
    const uint32_t *accepted;
    const uint32_t *counted;
    uint32_t *lexicon_of; /* by entry */
    uint32_t rows, classes, entries, lexicons;
    uint32_t accepting_states;
    uint32_t accepting; /* the number of the first accepting state, behind all cells */
    uint32_t width;     /* of a cell, in bytes: 2, 3 or 4 */
    unsigned char written_class[256]; /* of an ASCII byte as written: A as a, NUL as SYMBOL */
} lk_table;

/* What scans write to: made once for a table, used by one scan at a time. */
typedef struct {
    uint32_t *hits;    /* by accepting state: 0 never touched, else its entries + 1 */
    uint32_t *touched; /* the accepting states touched */
    uint64_t *present; /* bits by entry; clear between scans */
    uint32_t *found;   /* the entries that occur, each once, in no order */
    uint32_t *counts;  /* by lexicon, capped */
    uint32_t *distinct;
    int64_t *points;
    uint32_t *met; /* the lexicons whose counts or distinct are not 0, each once, in no order */
    size_t touched_count;
    size_t found_count;
    size_t met_count;
} lk_work;

/* Checks the table; NULL, or what is wrong with it, or LK_NO_MEMORY (room.h). `data` must outlive
 * the view and be aligned to 4 bytes. What it allocates is freed by lk_release, which may be called
 * after a failure too. */
const char *lk_bind(lk_table *table, const unsigned char *data, size_t size);
void lk_release(lk_table *table);

/* 0, or -1 where there is no memory; lk_work_free may be called after a failure too. */
int lk_work_init(lk_work *work, const lk_table *table);
void lk_work_free(lk_work *work);

/* Scans a text, without its END; -1 where it is longer than LK_MAX_TEXT. `written` says it is ASCII
 * as written; otherwise it is folded and in UTF-8 (any bytes are safe). lk_count must follow. */
int lk_scan(const lk_table *table, lk_work *work, const unsigned char *text, size_t length,
            int written);

/* Fills found, counts, distinct, points and met from the last lk_scan, and clears the rest for the
 * next; 0 where nothing occurs (then counts, distinct and points may not be filled). `weights` are
 * by entry; the sum of their magnitudes fits 63 bits. */
int lk_count(const lk_table *table, lk_work *work, const int64_t *weights);

#endif

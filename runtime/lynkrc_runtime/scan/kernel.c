#include "kernel.h"

#include "room.h"

#include <stdlib.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tables are read in place: only for little endian machines"
#endif

#define HEAD_NUMBERS 7
#define HEAD_SIZE (4 + HEAD_NUMBERS * 4 + 256)
#define NARROW_CELLS 0x10000u
#define MOST_CELLS 0x1000000u /* what 3 bytes hold */
#define SYMBOL 1
/* A head may claim entries that nothing in the table speaks of, and memory is taken for all. */
#define MAX_ENTRIES 0x100000u

/* One chain waits for memory at every byte, so a text is read at several places at once: at as many
 * as fit into the registers of x86-64, and where the table is larger than the caches at more. */
#define FEW_CHAINS 6
#define MANY_CHAINS 8
/* A text shorter than this is read by one chain: others guess wrong as long as a word goes on. */
#define SHORT_TEXT 32

/* -- tables -------------------------------------------------------------------------------------- */

typedef struct {
    const unsigned char *at;
    size_t left; /* bytes */
} lk_sections;

/* The next section of `count` numbers of 4 bytes; NULL where the file ends before. */
static const uint32_t *take(lk_sections *sections, uint64_t count) {
    const unsigned char *at = sections->at;
    if (count > sections->left / 4) return NULL;
    sections->at += count * 4;
    sections->left -= (size_t)count * 4;
    return (const uint32_t *)(const void *)at;
}

static int rises(const uint32_t *offsets, uint32_t count) {
    if (offsets[0] != 0) return 0;
    for (uint32_t i = 1; i < count; i++)
        if (offsets[i] < offsets[i - 1]) return 0;
    return 1;
}

static int all_below(const uint32_t *numbers, size_t count, uint32_t limit) {
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) bad |= numbers[i] >= limit;
    return !bad;
}

static inline uint32_t narrow_cell(const void *cells, size_t at) {
    return ((const uint16_t *)cells)[at];
}

static inline uint32_t wide_cell(const void *cells, size_t at) {
    return ((const uint32_t *)cells)[at];
}

/* Reads a byte more than the cell has: behind the last one are the offsets. */
static inline uint32_t tight_cell(const void *cells, size_t at) {
    uint32_t cell;
    memcpy(&cell, (const unsigned char *)cells + at * 3, sizeof cell);
    return cell & 0xffffff;
}

/* Whether every cell is the first cell of a row, or the number of an accepting state. */
static int cells_lead_inside(const lk_table *table, uint32_t cells) {
    uint32_t shift = 0, odd = table->classes, inverse, bad = 0;
    for (; !(odd & 1); shift++) odd >>= 1;
    inverse = odd; /* right in 3 bits; every round doubles them */
    for (int round = 0; round < 5; round++) inverse *= 2 - odd * inverse;
    uint32_t odd_limit = UINT32_MAX / odd, low = (1u << shift) - 1;
    uint32_t end = cells + table->accepting_states;
    for (uint32_t i = 0; i < cells; i++) {
        uint32_t cell = table->width == 2   ? narrow_cell(table->cells, i)
                        : table->width == 3 ? tight_cell(table->cells, i)
                                            : wide_cell(table->cells, i);
        /* A multiple of an odd number times its inverse is the quotient; any other is greater. */
        uint32_t between = (cell & low) != 0 || (cell >> shift) * inverse > odd_limit;
        bad |= cell < cells ? between : cell >= end;
    }
    return !bad;
}

/* Whether accepting states move by rows. */
static int all_rows(const lk_table *table) {
    for (uint32_t i = 0; i < table->accepting_states; i++)
        if (table->moves[i] >= table->accepting || table->moves[i] % table->classes) return 0;
    return 1;
}

const char *lk_bind(lk_table *table, const unsigned char *data, size_t size) {
    uint32_t head[HEAD_NUMBERS];
    lk_sections sections;
    memset(table, 0, sizeof *table);
    if ((uintptr_t)data % 4 != 0) return "lexicon table is not aligned";
    if (size < HEAD_SIZE || size % 4 != 0 || memcmp(data, "LKD3", 4) != 0)
        return "not a lexicon table (LKD3)";
    memcpy(head, data + 4, sizeof head);
    table->rows = head[0];
    table->classes = head[1];
    table->entries = head[2];
    table->lexicons = head[3];
    table->byte_class = data + HEAD_SIZE - 256;
    table->width = head[5];
    table->accepting_states = head[4];
    uint32_t width = head[5], free_entries = head[6];
    if (table->rows == 0 || table->classes == 0 || table->classes > 256 || width < 2 ||
        width > 4 || table->entries > MAX_ENTRIES)
        return "lexicon table has an impossible head";
    uint64_t cells = (uint64_t)table->rows * table->classes;
    uint64_t numbers = cells + table->accepting_states;
    if (numbers > MOST_CELLS || (width == 2 && numbers > NARROW_CELLS))
        return "lexicon table has an impossible head";
    for (int byte = 0; byte < 256; byte++)
        if (table->byte_class[byte] >= table->classes)
            return "lexicon table has an impossible head";
    table->accepting = (uint32_t)cells;

    sections.at = data + HEAD_SIZE;
    sections.left = size - HEAD_SIZE;
    uint64_t offsets = (uint64_t)table->accepting_states + 1;
    table->cells = take(&sections, (cells * width + 3) / 4);
    table->moves = table->cells ? take(&sections, table->accepting_states) : NULL;
    table->entry_offsets = table->moves ? take(&sections, offsets) : NULL;
    table->lexicon_offsets = table->entry_offsets ? take(&sections, offsets) : NULL;
    if (!table->lexicon_offsets) return "lexicon table is cut short";
    uint32_t accepted = table->entry_offsets[offsets - 1];
    uint32_t counted = table->lexicon_offsets[offsets - 1];
    table->accepted = take(&sections, accepted);
    table->counted = table->accepted ? take(&sections, counted) : NULL;
    const uint32_t *sizes = table->counted ? take(&sections, table->lexicons) : NULL;
    const uint32_t *unbound = sizes ? take(&sections, free_entries) : NULL;
    if (!unbound || sections.left != 0)
        return "lexicon table is cut short, or has something behind it";

    uint64_t entries = 0;
    for (uint32_t i = 0; i < table->lexicons; i++) entries += sizes[i];
    if (entries != table->entries || !cells_lead_inside(table, (uint32_t)cells) ||
        !all_rows(table) || !rises(table->entry_offsets, (uint32_t)offsets) ||
        !rises(table->lexicon_offsets, (uint32_t)offsets) ||
        !all_below(table->accepted, accepted, table->entries) ||
        !all_below(table->counted, counted, table->lexicons) ||
        !all_below(unbound, free_entries, table->entries))
        return "lexicon table points outside itself";

    for (int byte = 0; byte < 256; byte++) {
        int folded = byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte ? byte : SYMBOL;
        table->written_class[byte] = table->byte_class[folded];
    }
    table->lexicon_of = calloc((size_t)table->entries + 1, sizeof(uint32_t));
    if (!table->lexicon_of) return LK_NO_MEMORY;
    for (uint32_t lexicon = 0, entry = 0; lexicon < table->lexicons; lexicon++)
        for (uint32_t i = 0; i < sizes[lexicon]; i++) table->lexicon_of[entry++] = lexicon;
    return NULL;
}

void lk_release(lk_table *table) {
    free(table->lexicon_of);
    table->lexicon_of = NULL;
}

int lk_work_init(lk_work *work, const lk_table *table) {
    size_t states = (size_t)table->accepting_states + 1, entries = (size_t)table->entries + 1;
    size_t lexicons = (size_t)table->lexicons + 1;
    memset(work, 0, sizeof *work);
    work->hits = calloc(states, sizeof *work->hits);
    work->touched = calloc(states, sizeof *work->touched);
    work->present = calloc(entries / 64 + 1, sizeof *work->present);
    work->found = calloc(entries, sizeof *work->found);
    work->counts = calloc(lexicons, sizeof *work->counts);
    work->distinct = calloc(lexicons, sizeof *work->distinct);
    work->points = calloc(lexicons, sizeof *work->points);
    work->met = calloc(lexicons, sizeof *work->met);
    return work->hits && work->touched && work->present && work->found && work->counts &&
                   work->distinct && work->points && work->met
               ? 0
               : -1;
}

void lk_work_free(lk_work *work) {
    free(work->hits);
    free(work->touched);
    free(work->present);
    free(work->found);
    free(work->counts);
    free(work->distinct);
    free(work->points);
    free(work->met);
    memset(work, 0, sizeof *work);
}

/* -- chains --------------------------------------------------------------------------------------
 *
 * The text is cut into as many parts as there are chains. The first chain starts in the start state
 * and is right; the others start there too, at their cuts, which is a guess. Afterwards the cuts
 * are gone through in order: from the cut on, the state that the chain before really ended in and
 * the guess are run side by side, and the hits of the guess exchanged for the real ones, until both
 * are the same state, from where on the guess was right. After a word mostly that is at once; a text
 * on which it never happens is read three times, whatever the patterns are. */

/* Notes an accepting state; what it moves as. */
static inline uint32_t hit(const lk_table *table, lk_work *work, uint32_t state) {
    uint32_t number = state - table->accepting, times = work->hits[number];
    if (times == 0) {
        work->touched[work->touched_count++] = number;
        times = 1;
    }
    work->hits[number] = times + 1;
    return table->moves[number];
}

static inline uint32_t unhit(const lk_table *table, lk_work *work, uint32_t state) {
    work->hits[state - table->accepting]--;
    return table->moves[state - table->accepting];
}

/* A hint: else what few hits need is kept in registers, and states are not. */
#if defined(__GNUC__)
#define RARELY(condition) __builtin_expect(condition, 0)
#else
#define RARELY(condition) (condition)
#endif

/* States have the 32 bits of the widest cells: what is read is the state, without a copy. */
#define STEP(cell_of, state, byte)                                                                 \
    do {                                                                                           \
        (state) = cell_of(cells, (size_t)(state) + class_of[byte]);                                \
        if (RARELY((state) >= accepting)) (state) = hit(table, work, (state));                     \
    } while (0)

/* Unrolled, so that each state is in a register. Where chains are is told by two places and how far
 * one is from the next: no more of them would fit in beside the states. */
#define EACH(k, chains) _Pragma("GCC unroll 8") for (int k = 0; k < (chains); k++)
#define PLACE(k) ((k) < 3 ? front + (size_t)(k) * part : rear + (size_t)((k) - 3) * part)

#define DEFINE_RUN(NAME, CELL_OF, CHAINS)                                                          \
    static uint32_t NAME##_one(const lk_table *table, lk_work *work,                               \
                               const unsigned char *class_of, const unsigned char *text,           \
                               size_t length, uint32_t state) {                                    \
        const void *cells = table->cells;                                                          \
        const uint32_t accepting = table->accepting;                                               \
        for (size_t i = 0; i < length; i++) STEP(CELL_OF, state, text[i]);                         \
        return state;                                                                              \
    }                                                                                              \
                                                                                                   \
    static uint32_t NAME##_all(const lk_table *table, lk_work *work,                               \
                               const unsigned char *class_of, const unsigned char *text,           \
                               size_t length) {                                                    \
        const void *cells = table->cells;                                                          \
        const uint32_t accepting = table->accepting;                                               \
        const size_t part = length / CHAINS;                                                       \
        const unsigned char *const end = text + length;                                            \
        const unsigned char *front = text, *rear = text + 3 * part;                                \
        uint32_t states[CHAINS] = {0}, state;                                                      \
        for (; front < text + part; front++, rear++)                                               \
            EACH(k, CHAINS)                                                                        \
            STEP(CELL_OF, states[k], *PLACE(k));                                                   \
        for (const unsigned char *at = text + CHAINS * part; at < end; at++)                       \
            STEP(CELL_OF, states[CHAINS - 1], *at);                                                \
        state = states[0];                                                                         \
        for (int k = 1; k < CHAINS; k++) {                                                         \
            const unsigned char *at = text + (size_t)k * part;                                     \
            const unsigned char *const stop = k < CHAINS - 1 ? at + part : end;                    \
            uint32_t guess = 0;                                                                    \
            for (; at < stop && state != guess; at++) {                                            \
                guess = CELL_OF(cells, (size_t)guess + class_of[*at]);                             \
                if (guess >= accepting) guess = unhit(table, work, guess);                         \
                STEP(CELL_OF, state, *at);                                                         \
            }                                                                                      \
            if (state == guess) state = states[k];                                                 \
        }                                                                                          \
        return state;                                                                              \
    }                                                                                              \
                                                                                                   \
    static void NAME(const lk_table *table, lk_work *work, const unsigned char *class_of,          \
                     const unsigned char *text, size_t length) {                                   \
        const unsigned char end = 0;                                                               \
        uint32_t state = length < SHORT_TEXT                                                       \
                             ? NAME##_one(table, work, class_of, text, length, 0)                  \
                             : NAME##_all(table, work, class_of, text, length);                    \
        NAME##_one(table, work, table->byte_class, &end, 1, state);                                \
    }

DEFINE_RUN(run_narrow, narrow_cell, FEW_CHAINS)
DEFINE_RUN(run_wide, wide_cell, FEW_CHAINS)
DEFINE_RUN(run_tight, tight_cell, MANY_CHAINS)

int lk_scan(const lk_table *table, lk_work *work, const unsigned char *text, size_t length,
            int written) {
    const unsigned char *class_of = written ? table->written_class : table->byte_class;
    work->touched_count = work->found_count = work->met_count = 0;
    if (length > LK_MAX_TEXT) return -1;
    if (table->width == 2)
        run_narrow(table, work, class_of, text, length);
    else if (table->width == 4)
        run_wide(table, work, class_of, text, length);
    else
        run_tight(table, work, class_of, text, length);
    return 0;
}

/* -- what was found ------------------------------------------------------------------------------ */

static inline void meet(lk_work *work, uint32_t lexicon) {
    if (work->counts[lexicon] == 0 && work->distinct[lexicon] == 0)
        work->met[work->met_count++] = lexicon;
}

int lk_count(const lk_table *table, lk_work *work, const int64_t *weights) {
    int entered = 0;
    if (work->touched_count == 0) return 0;
    memset(work->counts, 0, table->lexicons * sizeof *work->counts);
    memset(work->distinct, 0, table->lexicons * sizeof *work->distinct);
    memset(work->points, 0, table->lexicons * sizeof *work->points);
    work->found_count = 0;
    for (size_t i = 0; i < work->touched_count; i++) {
        uint32_t number = work->touched[i], times = work->hits[number] - 1;
        work->hits[number] = 0;
        if (times == 0) continue; /* only guessed */
        entered = 1;
        for (uint32_t at = table->lexicon_offsets[number];
             at < table->lexicon_offsets[number + 1]; at++) {
            uint32_t lexicon = table->counted[at], *count = &work->counts[lexicon];
            meet(work, lexicon);
            *count = times < LK_MAX_COUNT - *count ? *count + times : LK_MAX_COUNT;
        }
        for (uint32_t at = table->entry_offsets[number]; at < table->entry_offsets[number + 1];
             at++) {
            uint32_t entry = table->accepted[at];
            uint64_t bit = (uint64_t)1 << entry % 64;
            if (work->present[entry / 64] & bit) continue;
            work->present[entry / 64] |= bit;
            work->found[work->found_count++] = entry;
        }
    }
    work->touched_count = 0;
    for (size_t i = 0; i < work->found_count; i++) {
        uint32_t entry = work->found[i], lexicon = table->lexicon_of[entry];
        work->present[entry / 64] = 0;
        meet(work, lexicon);
        work->distinct[lexicon]++;
        work->points[lexicon] += weights[entry];
    }
    return entered;
}

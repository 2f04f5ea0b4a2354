#include "counts.h"

/* What a character is. Bits: several hold of one. */
enum {
    WORD = 1,       /* of a word, with its neighbours */
    ALONE = 2,      /* a word of its own, of a script without blanks */
    APOSTROPHE = 4, /* holds two parts of a word together */
    STOP = 8,
    STRONG = 16,    /* a stop that needs nothing behind it */
    BLANK = 32,
    CLOSING = 64 /* may follow a stop; blanks may, too */
};

#define W WORD
#define B (BLANK | CLOSING)
static const unsigned char ascii[128] = {
    ['\t'] = B, ['\n'] = B, ['\v'] = B, ['\f'] = B, ['\r'] = B, [' '] = B,
    [0x1c] = B, [0x1d] = B, [0x1e] = B, [0x1f] = B,
    ['"'] = CLOSING, [')'] = CLOSING, [']'] = CLOSING, ['\''] = CLOSING | APOSTROPHE,
    ['.'] = STOP, ['!'] = STOP, ['?'] = STOP, ['_'] = W,
    ['0'] = W, ['1'] = W, ['2'] = W, ['3'] = W, ['4'] = W,
    ['5'] = W, ['6'] = W, ['7'] = W, ['8'] = W, ['9'] = W,
    ['A'] = W, ['B'] = W, ['C'] = W, ['D'] = W, ['E'] = W, ['F'] = W, ['G'] = W,
    ['H'] = W, ['I'] = W, ['J'] = W, ['K'] = W, ['L'] = W, ['M'] = W, ['N'] = W,
    ['O'] = W, ['P'] = W, ['Q'] = W, ['R'] = W, ['S'] = W, ['T'] = W, ['U'] = W,
    ['V'] = W, ['W'] = W, ['X'] = W, ['Y'] = W, ['Z'] = W,
    ['a'] = W, ['b'] = W, ['c'] = W, ['d'] = W, ['e'] = W, ['f'] = W, ['g'] = W,
    ['h'] = W, ['i'] = W, ['j'] = W, ['k'] = W, ['l'] = W, ['m'] = W, ['n'] = W,
    ['o'] = W, ['p'] = W, ['q'] = W, ['r'] = W, ['s'] = W, ['t'] = W, ['u'] = W,
    ['v'] = W, ['w'] = W, ['x'] = W, ['y'] = W, ['z'] = W,
};
#undef W
#undef B

typedef struct {
    lk_counts counts;
    unsigned before, before_that; /* kinds of the last two characters */
    int has_word;                 /* in the sentence under way */
    size_t begins, ends;          /* of the sentence, trimmed; none yet where equal */
} State;

static inline void end_sentence(State *state) {
    if (state->has_word) {
        size_t size = state->ends - state->begins;
        state->counts.sentences++;
        if (size > state->counts.longest) state->counts.longest = size;
    }
    state->has_word = 0;
    state->begins = state->ends = 0;
}

static inline void step(State *state, unsigned kind, size_t place) {
    unsigned before = state->before;
    /* A run of stops ends a sentence by its last one. */
    if ((before & STOP) && !(kind & STOP) && ((before & STRONG) || (kind & CLOSING)))
        end_sentence(state);
    /* Without branches, which words of natural text make hard to foresee: a word begins where no
     * word stands before, nor one and an apostrophe. */
    unsigned goes_on = before | (before / APOSTROPHE & state->before_that);
    state->counts.words += (kind & WORD & ~goes_on) + (kind / ALONE & 1);
    state->has_word |= (int)(kind & (WORD | ALONE));
    int is_blank = (kind & BLANK) != 0;
    state->begins = is_blank | (state->ends != state->begins) ? state->begins : place;
    state->ends = is_blank ? state->ends : place + 1;
    state->before_that = before;
    state->before = kind;
}

lk_counts lk_count_ascii(const unsigned char *text, size_t length) {
    State state = {0};
    for (size_t i = 0; i < length; i++) step(&state, ascii[text[i] & 0x7f], i);
    end_sentence(&state);
    return state.counts;
}

static int has_no_blanks(uint32_t code) {
    return (code >= 0x0e00 && code <= 0x0eff) || (code >= 0x1000 && code <= 0x109f) ||
           (code >= 0x1780 && code <= 0x17ff) || (code >= 0x3040 && code <= 0x30ff) ||
           (code >= 0x31f0 && code <= 0x31ff) || (code >= 0x3400 && code <= 0x4dbf) ||
           (code >= 0x4e00 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff) ||
           (code >= 0xff66 && code <= 0xff9d) || (code >= 0x20000 && code <= 0x3ffff);
}

static unsigned kind_of(uint32_t code, uint32_t folded) {
    unsigned kind = 0;
    if (folded >= 0x80)
        kind = has_no_blanks(folded) ? ALONE : WORD;
    else if (folded == ' ')
        kind = BLANK | CLOSING;
    else if (folded == '\'')
        kind = APOSTROPHE;
    else
        kind = ascii[folded] & (WORD | APOSTROPHE); /* the Kelvin sign folds to k */
    switch (code) {
    case 0x3002: case 0xff01: case 0xff1f: case 0xff61: case 0xff0e: return kind | STOP | STRONG;
    case 0x2019: case 0x201d: case 0x300d: case 0x300f: case 0xff09: return kind | CLOSING;
    default: return kind;
    }
}

lk_counts lk_count_codes(const uint32_t *codes, size_t length, lk_fold_one fold,
                         const void *folds) {
    State state = {0};
    for (size_t i = 0; i < length; i++) {
        uint32_t code = codes[i];
        step(&state, code < 0x80 ? ascii[code] : kind_of(code, fold(folds, code)), i);
    }
    end_sentence(&state);
    return state.counts;
}

#include "counts.h"

#include "json_text.h"

#include <string.h>

/* What a character is. Bits: several hold of one. */
enum {
    WORD = 1,       /* of a word, with its neighbours */
    ALONE = 2,      /* a word of its own, of a script without blanks */
    APOSTROPHE = 4, /* holds two parts of a word together */
    STOP = 8,
    STRONG = 16,    /* a stop that needs nothing behind it */
    BLANK = 32,
    CLOSING = 64, /* may follow a stop; blanks may, too */
    BREAK = 128,  /* of lines */
    COMMA = 256,
    PERIOD = 512,
    PAREN = 1024,
    QUOTE = 2048,
    QUESTION = 4096
};

#define W WORD
#define B (BLANK | CLOSING)
static const unsigned short ascii[128] = {
    ['\t'] = B, ['\n'] = B | BREAK, ['\v'] = B, ['\f'] = B, ['\r'] = B, [' '] = B,
    [0x1c] = B, [0x1d] = B, [0x1e] = B, [0x1f] = B,
    ['"'] = CLOSING | QUOTE, [')'] = CLOSING, [']'] = CLOSING, ['\''] = CLOSING | APOSTROPHE,
    ['.'] = STOP | PERIOD, ['!'] = STOP, ['?'] = STOP | QUESTION,
    [','] = COMMA, ['('] = PAREN, ['_'] = W,
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
    int has_more;                 /* than blanks in the line under way */
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

static inline void end_line(State *state) {
    state->counts.lines += (size_t)state->has_more;
    state->has_more = 0;
}

static inline lk_counts end(State *state) {
    end_sentence(state);
    end_line(state);
    return state->counts;
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
    state->has_more |= !is_blank;
    if (kind & BREAK) end_line(state);
    state->counts.commas += kind / COMMA & 1;
    state->counts.periods += kind / PERIOD & 1;
    state->counts.parens += kind / PAREN & 1;
    state->counts.quotes += kind / QUOTE & 1;
    state->counts.questions += kind / QUESTION & 1;
    state->begins = (is_blank | (state->ends != state->begins)) ? state->begins : place;
    state->ends = is_blank ? state->ends : place + 1;
    state->before_that = before;
    state->before = kind;
}

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>

/* 64 characters, 16 at a time: unrolled, so that what they are compared with is in registers. */
#define EACH_PART(i) _Pragma("GCC unroll 4") for (int i = 0; i < 64; i += 16)

/* Bit i: what character i of 64 is, of the kinds above. */
typedef struct {
    uint64_t word, apostrophe, stop, blank, closing, end_of_line;
} Masks;

static inline __m128i is(__m128i text, char one) {
    return _mm_cmpeq_epi8(text, _mm_set1_epi8(one));
}

static inline __m128i between(__m128i text, char least, char most) {
    return _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8((char)(least - 1))),
                         _mm_cmplt_epi8(text, _mm_set1_epi8((char)(most + 1))));
}

static inline uint64_t bits(__m128i found, int place) {
    return (uint64_t)(unsigned)_mm_movemask_epi8(found) << place;
}

static inline Masks masks_of(const unsigned char *text) {
    Masks masks = {0};
    EACH_PART(i) {
        __m128i some = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        __m128i letter = between(_mm_or_si128(some, _mm_set1_epi8(0x20)), 'a', 'z');
        __m128i digit = _mm_or_si128(between(some, '0', '9'), is(some, '_'));
        __m128i blank = _mm_or_si128(between(some, '\t', '\r'), between(some, 0x1c, ' '));
        __m128i bracket = _mm_or_si128(is(some, ')'), is(some, ']'));
        __m128i apostrophe = is(some, '\'');
        __m128i quote = _mm_or_si128(is(some, '"'), apostrophe);
        __m128i stop = _mm_or_si128(is(some, '.'), _mm_or_si128(is(some, '!'), is(some, '?')));
        masks.word |= bits(_mm_or_si128(letter, digit), i);
        masks.apostrophe |= bits(apostrophe, i);
        masks.stop |= bits(stop, i);
        masks.blank |= bits(blank, i);
        masks.closing |= bits(_mm_or_si128(blank, _mm_or_si128(bracket, quote)), i);
        masks.end_of_line |= bits(is(some, '\n'), i);
    }
    return masks;
}

/* How often one is among 64 characters, as two numbers of 64 bits. */
static inline __m128i times(const unsigned char *text, char one) {
    __m128i found = _mm_setzero_si128(), zero = found;
    EACH_PART(i) {
        __m128i some = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        found = _mm_sub_epi8(found, is(some, one));
    }
    return _mm_sad_epu8(found, zero);
}

static size_t sum_of(__m128i numbers) {
    uint64_t both[2];
    _mm_storeu_si128((__m128i *)(void *)both, numbers);
    return (size_t)(both[0] + both[1]);
}

/* The sentence under way has the characters of `part` too, which begin at `place` + their bit. */
static inline void go_on(State *state, const Masks *masks, uint64_t part, size_t place) {
    uint64_t seen = part & ~masks->blank;
    if (seen == 0) return;
    if (state->ends == state->begins) state->begins = place + (size_t)__builtin_ctzll(seen);
    state->ends = place + 64 - (size_t)__builtin_clzll(seen);
    state->has_word |= (masks->word & part) != 0;
}

/* The same of lines. */
static inline void go_on_with_lines(State *state, const Masks *masks, uint64_t part) {
    uint64_t seen = part & ~masks->blank;
    for (uint64_t ends = masks->end_of_line & part; ends != 0; ends &= ends - 1) {
        uint64_t front = (ends & -ends) - 1;
        state->has_more |= (seen & front) != 0;
        end_line(state);
        seen &= ~front;
    }
    state->has_more |= seen != 0;
}

lk_counts lk_count_ascii(const unsigned char *text, size_t length) {
    State state = {0};
    Masks before = {0};
    __m128i commas = _mm_setzero_si128(), periods = commas, parens = commas, quotes = commas,
            questions = commas;
    unsigned char last[64] = {0}; /* NUL is of no kind */
    for (size_t place = 0; place < length; place += 64) {
        const unsigned char *from = text + place;
        uint64_t left = UINT64_MAX;
        if (length - place < 64) {
            left >>= 64 - (length - place);
            memcpy(last, from, length - place);
            from = last;
        }
        Masks masks = masks_of(from);
        go_on_with_lines(&state, &masks, left);
        uint64_t behind_word = masks.word << 1 | before.word >> 63;
        uint64_t behind_part = masks.apostrophe << 1 | before.apostrophe >> 63;
        behind_part &= masks.word << 2 | before.word >> 62;
        uint64_t words = masks.word & ~behind_word & ~behind_part;
        state.counts.words += (size_t)__builtin_popcountll(words);
        uint64_t ended = (masks.stop << 1 | before.stop >> 63) & ~masks.stop & masks.closing;
        for (; ended != 0; ended &= ended - 1) {
            uint64_t front = (ended & -ended) - 1;
            go_on(&state, &masks, left & front, place);
            end_sentence(&state);
            left &= ~front;
        }
        go_on(&state, &masks, left, place);
        commas = _mm_add_epi64(commas, times(from, ','));
        periods = _mm_add_epi64(periods, times(from, '.'));
        parens = _mm_add_epi64(parens, times(from, '('));
        quotes = _mm_add_epi64(quotes, times(from, '"'));
        questions = _mm_add_epi64(questions, times(from, '?'));
        before = masks;
    }
    state.counts.commas = sum_of(commas);
    state.counts.periods = sum_of(periods);
    state.counts.parens = sum_of(parens);
    state.counts.quotes = sum_of(quotes);
    state.counts.questions = sum_of(questions);
    state.counts.bytes = length;
    return end(&state);
}
#else
lk_counts lk_count_ascii(const unsigned char *text, size_t length) {
    State state = {0};
    for (size_t i = 0; i < length; i++) step(&state, ascii[text[i] & 0x7f], i);
    state.counts.bytes = length;
    return end(&state);
}
#endif

/* Of folded code points; ALONE of edges.py. */
static int has_no_blanks(uint32_t code) {
    return (code >= 0x3000 && code <= 0x9fff) || (code >= 0xe000 && code <= 0xefff) ||
           (code >= 0x40000 && code <= 0x7ffff);
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
    case 0x3002: case 0xff0e: return kind | STOP | STRONG | PERIOD;
    case 0xff1f: return kind | STOP | STRONG | QUESTION;
    case 0xff01: case 0xff61: return kind | STOP | STRONG;
    case 0x201d: return kind | CLOSING | QUOTE;
    case 0x201c: case 0x201e: case 0xff02: return kind | QUOTE;
    case 0x2019: case 0x300d: case 0x300f: case 0xff09: return kind | CLOSING;
    case 0xff0c: case 0x3001: case 0x060c: return kind | COMMA;
    case 0xff08: return kind | PAREN;
    case 0x061f: return kind | QUESTION;
    default: return kind;
    }
}

static size_t size_of(uint32_t code) {
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

lk_counts lk_count_codes(const uint32_t *codes, size_t length, lk_fold_one fold,
                         const void *folds) {
    State state = {0};
    for (size_t i = 0; i < length; i++) {
        uint32_t code = codes[i];
        step(&state, code < 0x80 ? ascii[code] : kind_of(code, fold(folds, code)), i);
        state.counts.bytes += size_of(code);
        state.counts.cjk += (size_t)lk_is_cjk(code);
    }
    return end(&state);
}

/* The messages of a request to `POST /v1/messages`, as JSON text, to what a decision reads of them.
 * Plain C11 without Python.
 *
 * Only the common forms are taken, those of protocol/anthropic/fast_message.py and fewer; the
 * meaning is that of its `decoded_messages`, which is what the tests compare this with. */
#ifndef LYNKRC_SCAN_TURNS_H
#define LYNKRC_SCAN_TURNS_H

#include "own_words.h"

typedef struct {
    size_t begin, end; /* of the object */
    unsigned char kind; /* see late_messages.py */
    lk_said said;       /* of a user's message */
} lk_turn;

typedef struct {
    size_t turn;
    int is_error;
} lk_result;

typedef struct {
    size_t turn;
    size_t name, name_end; /* with the quotes */
    size_t input, input_end;
    uint64_t key; /* of name and input */
    int is_odd;   /* calls that say the same may have other keys */
} lk_call;

typedef struct {
    size_t turn;
    size_t begin, end; /* between the quotes */
} lk_text;

typedef struct {
    lk_turn *turns;
    lk_result *results;
    lk_call *calls;
    lk_text *texts; /* of messages, in order, none empty; pieces have those of other dialects */
    size_t turn_count, result_count, call_count, text_count;
    size_t turn_room, result_room, call_room, text_room;
    size_t end;      /* behind the list */
    uint64_t tokens; /* of texts, calls and reasoning */
    int has_reasoning;
    int is_ascii; /* the whole list */
} lk_turns;

/* Reads the list that begins at `begin`: 1; 0 where it is not taken, or empty; -1 without memory.
 * Release `found` in any case. */
int lk_read_turns(const unsigned char *text, size_t begin, size_t size, lk_turns *found);

/* Whether calls from a message on may say the same: 0 where surely none does, -1 without memory. */
int lk_may_repeat(const lk_turns *found, size_t first);

/* The kind of each message, with 'w' (words) or 'n' (nothing) in the place of 'u' where the user's own
 * are known (late_messages.py); `text` is what was read, the prefixes are those of clients. */
void lk_tell_own(const unsigned char *text, const lk_turns *found, const unsigned char *prefixes,
                 size_t size, unsigned char *kinds);

void lk_release_turns(lk_turns *found);

#endif

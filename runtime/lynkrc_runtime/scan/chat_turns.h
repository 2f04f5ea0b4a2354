/* The messages of a request to `POST /v1/chat/completions`, as JSON text, to what a decision reads
 * of them, and on to the messages of `POST /v1/messages`. Plain C11 without Python.
 *
 * Only the common forms are read, those of protocol/openai_chat/fast_messages.py and fewer; only
 * those that need no repair are written, and mean what protocol/anthropic/write_messages.py makes
 * of them. Strings are copied as they are spelled. */
#ifndef LYNKRC_SCAN_CHAT_TURNS_H
#define LYNKRC_SCAN_CHAT_TURNS_H

#include "turns.h"

typedef struct {
    size_t begin, end;
} lk_span;

typedef enum { LK_TEXT, LK_CALL, LK_ANSWER } lk_piece_kind;

typedef struct {
    size_t turn;
    lk_piece_kind kind;
    int is_odd;    /* whether `input` is taken by every reader of JSON is not known */
    lk_span text;  /* of a text or an answer, between the quotes */
    lk_span id;    /* of a call or an answer, the same */
    lk_span name;  /* of a call, the same */
    lk_span input; /* of a call, in `inputs`: an object, or nothing */
} lk_piece;

typedef struct {
    lk_turns turns; /* a call's `input` there is the string that holds it */
    lk_piece *pieces;
    unsigned char *inputs; /* what calls are given, not escaped */
    size_t piece_count, piece_room;
    size_t inputs_size, inputs_room;
    size_t system_end; /* behind the instructions at the head; 0 without any */
    int is_plain;      /* nothing was read of which there is no piece */
    int has_refusal;   /* in words, of which there is none */
    lk_said said;      /* of the message that is read */
} lk_chat;

/* Reads the list that begins at `begin`: 1; 0 where it is not taken, or has no message but
 * instructions at the head; -1 without memory. Release `found` in any case. */
int lk_read_chat(const unsigned char *text, size_t begin, size_t size, lk_chat *found);

/* The bytes of the list of messages, which are written where `out` is not NULL; 0 where it has to be
 * written with care. `text` is what was read. */
size_t lk_write_messages(const unsigned char *text, const lk_chat *found, unsigned char *out);

void lk_release_chat(lk_chat *found);

/* What a call is given, from the string that holds it; -1 without memory. */
int lk_read_input(const lk_json *json, const lk_string *given, lk_piece *call, uint64_t *key,
                  lk_chat *found);

#endif

/* The messages of a request to `POST /v1/messages`, as `lk_read_turns` took them, or the pieces of
 * another dialect's, on to messages of `POST /v1/chat/completions`. Plain C11 without Python.
 *
 * Only those that need no repair are written, and mean what protocol/openai_chat/write_messages.py
 * makes of them, followed by its fit_messages.py. Strings are copied as they are spelled, and what a
 * call is given becomes a string as it stands. */
#ifndef LYNKRC_SCAN_MESSAGES_WRITE_H
#define LYNKRC_SCAN_MESSAGES_WRITE_H

#include "json_write.h"

typedef enum {
    LK_SAID,     /* a text */
    LK_THOUGHT,  /* reasoning */
    LK_CALLED,   /* a call */
    LK_RETURNED, /* a result; what it says are the parts behind it */
    LK_PART
} lk_block_kind;

typedef struct {
    size_t turn;
    lk_block_kind kind;
    int is_error;   /* of a result */
    lk_span text;   /* of a text or a part, between the quotes */
    lk_span id;     /* of a call or a result, the same */
    lk_span name;   /* of a call, the same */
    lk_span input;  /* of a call: an object */
    size_t escaped; /* the bytes of it in a string */
    lk_span mark;   /* `cache_control`: an object, or nothing */
} lk_block;

typedef struct {
    const unsigned char *inputs; /* where the inputs of calls stand */
    lk_block *blocks;
    size_t count, room;
} lk_blocks;

/* What a target wants. */
typedef struct {
    int keeps_marks;      /* `cache_control` goes on with the texts of the user */
    int takes_neighbours; /* two messages of one role may follow each other */
    int wants_reasoning;  /* messages with calls have `reasoning_content`, though it be empty */
} lk_wishes;

enum { LK_MARKS_LOST = 'm', LK_REASONING_LOST = 'r', LK_ERRORS_TOLD = 'e', LK_MOST_LOSSES = 3 };

typedef struct {
    size_t size;
    size_t count;
    char losses[LK_MOST_LOSSES]; /* each once, in the order in which they are met */
} lk_written;

/* The blocks of the messages in `text`, of which `found` was read: 1; 0 where they are not what was
 * found, -1 without memory. Release `blocks` in any case. */
int lk_read_blocks(const unsigned char *text, const lk_turns *found, lk_blocks *blocks);

/* The same of pieces that were read as another dialect's. */
int lk_take_pieces(const lk_chat *found, lk_blocks *blocks);

/* Messages as the items of a list, which are written where `out` is not NULL; a size of 0 where they
 * have to be written with care. `text`, `found` and `blocks` are as they were read. */
lk_written lk_write_chat(const unsigned char *text, const lk_turns *found, const lk_blocks *blocks,
                         lk_wishes wishes, unsigned char *out);

void lk_release_blocks(lk_blocks *blocks);

#endif

/* The items of a request to `POST /v1/responses`, as JSON text, to what a decision reads of them, and
 * to the pieces that other dialects' messages are written of. Plain C11 without Python.
 *
 * Only the common forms are taken, those of protocol/openai_responses/fast_items.py and fewer; the
 * meaning is that of its `join_items`: items of one speaker are one message. */
#ifndef LYNKRC_SCAN_ITEMS_H
#define LYNKRC_SCAN_ITEMS_H

#include "chat_turns.h"

/* Reads the list that begins at `begin`, as `lk_read_chat` does. */
int lk_read_items(const unsigned char *text, size_t begin, size_t size, lk_chat *found);

#endif

/* The body of a request, as JSON text, to what it says beside its long values. Plain C11 without
 * Python.
 *
 * An agent sends the same model, limits and wishes with every step. Without the values of its
 * messages, instructions and tools a body is short, and the same from step to step: its outline. Two
 * bodies of one outline differ in nothing but these values, which stand behind the same names. That
 * the outline is JSON is not looked at, nor is it of what is left out. */
#ifndef LYNKRC_SCAN_OUTLINE_H
#define LYNKRC_SCAN_OUTLINE_H

#include "json_text.h"

enum { LK_MESSAGES, LK_SYSTEM, LK_TOOLS, LK_APART };

typedef struct {
    size_t begin, end; /* 0 and 0 where the body has none */
} lk_value;

typedef struct {
    lk_json json;
    size_t count;                  /* of members */
    lk_value values[LK_APART];     /* that are left out */
    unsigned order[LK_APART], met; /* in which they stand */
    const unsigned char *tools;    /* a list as it may come again, which is then not walked */
    size_t tools_size;
    int has_tools; /* it came again */
} lk_outline;

/* Goes to the value of `messages`: 1, and the caller sets `json.at` and its `end` behind it and calls
 * again; then to the end of the body: 0; -1 where the body is not taken. Of others than those that
 * are left out the values are not kept apart, and names may repeat. All is zero before, but for the
 * text and its end, and for `tools` and its size. */
int lk_walk_outline(lk_outline *found);

/* Writes the outline and gives its size; NULL only asks for that. */
size_t lk_write_outline(const lk_outline *found, unsigned char *out);

#endif

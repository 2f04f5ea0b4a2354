/* Room for a growing list, and what is said where there is none. */
#ifndef LYNKRC_SCAN_ROOM_H
#define LYNKRC_SCAN_ROOM_H

#include <stdlib.h>

/* Of what says what is wrong with a table: nothing is wrong with it. */
#define LK_NO_MEMORY "no memory"

/* Room for one more than `count` of `size` bytes each; 0 without memory. */
static inline int lk_grow(void **items, size_t count, size_t *room, size_t size) {
    size_t more = *room ? *room * 2 : 32;
    void *grown;
    if (count < *room) return 1;
    grown = realloc(*items, more * size);
    if (!grown) return 0;
    *items = grown;
    *room = more;
    return 1;
}

#endif

/* Memory that is refused when it is asked for the n-th time, to be loaded before a program. */
#include <stddef.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static _Thread_local long left = -1; /* before one is refused; less than 0 for none */

/* The (n + 1)-th request of this thread is refused, and no other; what was left of the last order. */
long refuse_after(long n) {
    long before = left;
    left = n;
    return before;
}

static int is_refused(void) { return left >= 0 && left-- == 0; }

void *malloc(size_t size) { return is_refused() ? NULL : __libc_malloc(size); }

void *calloc(size_t count, size_t size) {
    return is_refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    return is_refused() ? NULL : __libc_realloc(memory, size);
}

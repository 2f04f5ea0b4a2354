#include "outline.h"

#include <string.h>

static const char *const NAMES[LK_APART] = {"messages", "system", "tools"};

/* Which of the values that are left out a name has; LK_APART for others. */
static unsigned place_of(const lk_json *json, const lk_string *name) {
    size_t size = name->end - name->begin;
    unsigned place = 0;
    for (; place < LK_APART; place++)
        if (strlen(NAMES[place]) == size && memcmp(NAMES[place], json->text + name->begin, size) == 0)
            break;
    return place;
}

static inline int is_scalar(unsigned char byte) {
    unsigned char letter = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (letter >= 'a' && letter <= 'z') || byte == '-' ||
           byte == '+' || byte == '.';
}

/* Behind the value that begins here, if it is one: 1; 0 where surely none begins. */
static int skip_value(lk_json *json) {
    size_t depth = 0;
    lk_string string;
    do {
        unsigned char byte = lk_peek(json);
        switch (byte) {
        case '"':
            if (!lk_read_string(json, &string)) return 0;
            break;
        case '{':
        case '[':
            depth++;
            json->at++;
            break;
        case '}':
        case ']':
            if (depth == 0) return 0;
            depth--;
            json->at++;
            break;
        case ',':
        case ':':
            if (depth == 0) return 0;
            json->at++;
            break;
        default:
            if (!is_scalar(byte)) return 0;
            while (json->at < json->end && is_scalar(json->text[json->at])) json->at++;
        }
    } while (depth > 0);
    return 1;
}

/* Behind the list of tools where it is the one that may come again; 0 where it is another. */
static int skip_tools(lk_outline *found) {
    lk_json *json = &found->json;
    size_t size = found->tools_size;
    found->has_tools = size > 0 && json->end - json->at >= size &&
                       memcmp(json->text + json->at, found->tools, size) == 0;
    if (found->has_tools) json->at += size;
    return found->has_tools;
}

int lk_walk_outline(lk_outline *found) {
    lk_json *json = &found->json;
    lk_string name;
    int more;
    if (found->count == 0) {
        if (lk_peek(json) != '{') return -1;
        json->at++;
    }
    while ((more = lk_next_member(json, found->count, &name)) == 1) {
        unsigned place = place_of(json, &name);
        size_t begin = json->at;
        /* One of those names may be spelled in another way. */
        if (name.is_escaped) return -1;
        found->count++;
        if (place == LK_APART) {
            if (!skip_value(json)) return -1;
            continue;
        }
        if (found->values[place].begin != 0) return -1;
        found->values[place].begin = begin;
        found->order[found->met++] = place;
        if (place == LK_MESSAGES) return 1;
        if (!(place == LK_TOOLS && skip_tools(found)) && !skip_value(json)) return -1;
        found->values[place].end = json->at;
    }
    lk_peek(json);
    return more == 0 && json->at == json->end ? 0 : -1;
}

size_t lk_write_outline(const lk_outline *found, unsigned char *out) {
    size_t at = 0, size = 0;
    for (unsigned i = 0; i <= found->met; i++) {
        const lk_value *value = i < found->met ? &found->values[found->order[i]] : NULL;
        size_t stop = value != NULL ? value->begin : found->json.end;
        if (out != NULL) memcpy(out + size, found->json.text + at, stop - at);
        size += stop - at;
        if (value != NULL) at = value->end;
    }
    return size;
}

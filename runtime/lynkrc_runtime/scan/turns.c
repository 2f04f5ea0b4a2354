#include "turns.h"

#include "room.h"

#include <stdlib.h>
#include <string.h>

enum { OTHER = 0, ASSISTANT = 'a', RESULT = 'r', SYSTEM = 's', USER = 'u' };

/* Members of blocks. */
enum {
    TYPE = 1,
    TEXT = 2,
    ID = 4,
    NAME = 8,
    INPUT = 16,
    TOOL_USE_ID = 32,
    CONTENT = 64,
    IS_ERROR = 128,
    CACHE_CONTROL = 256,
    THINKING = 512,
    SIGNATURE = 1024,
    DATA = 2048
};

/* What a string means; OTHER too where it is spelled with escapes. Each size is one comparison or a
 * few of as many bytes. */
#define IS(word) (memcmp(text, word, sizeof(word) - 1) == 0)

static unsigned member_of(const lk_json *json, const lk_string *string) {
    const unsigned char *text = json->text + string->begin;
    switch (string->end - string->begin) {
    case 2: return IS("id") ? ID : OTHER;
    case 4:
        return IS("type") ? TYPE : IS("text") ? TEXT : IS("name") ? NAME : IS("data") ? DATA : OTHER;
    case 5: return IS("input") ? INPUT : OTHER;
    case 7: return IS("content") ? CONTENT : OTHER;
    case 8: return IS("is_error") ? IS_ERROR : IS("thinking") ? THINKING : OTHER;
    case 9: return IS("signature") ? SIGNATURE : OTHER;
    case 11: return IS("tool_use_id") ? TOOL_USE_ID : OTHER;
    case 13: return IS("cache_control") ? CACHE_CONTROL : OTHER;
    default: return OTHER;
    }
}

/* A type of blocks, by what such a block must have. */
static unsigned type_of(const lk_json *json, const lk_string *string) {
    const unsigned char *text = json->text + string->begin;
    switch (string->end - string->begin) {
    case 4: return IS("text") ? TEXT : OTHER;
    case 8: return IS("tool_use") ? INPUT : IS("thinking") ? THINKING : OTHER;
    case 11: return IS("tool_result") ? TOOL_USE_ID : OTHER;
    case 17: return IS("redacted_thinking") ? DATA : OTHER;
    default: return OTHER;
    }
}

static unsigned role_of(const lk_json *json, const lk_string *string) {
    const unsigned char *text = json->text + string->begin;
    switch (string->end - string->begin) {
    case 4: return IS("user") ? USER : OTHER;
    case 6: return IS("system") ? SYSTEM : OTHER;
    case 9: return IS("assistant") ? ASSISTANT : OTHER;
    default: return OTHER;
    }
}

/* Tokens of a weight, rounded up. */
static uint64_t tokens_of(uint64_t weight) { return (weight + 19) / 20; }

/* `cache_control`: an object whose values any reader takes, or null. */
static int read_mark(lk_json *json) {
    uint64_t key;
    int is_odd = 0;
    lk_kind kind = lk_read_value(json, 1, &key, &is_odd);
    return (kind == LK_OBJECT && !is_odd) || kind == LK_NULL;
}

/* The texts of a result: their tokens. */
static int read_parts(lk_json *json, uint64_t *tokens) {
    int more, next;
    json->at++;
    for (size_t parts = 0; (more = lk_next_item(json, parts)) == 1; parts++) {
        unsigned seen = 0;
        lk_string name, string;
        if (lk_peek(json) != '{') return 0;
        json->at++;
        for (size_t count = 0; (next = lk_next_member(json, count, &name)) == 1; count++) {
            unsigned member = member_of(json, &name);
            if (seen & member) return 0;
            seen |= member;
            if (member == CACHE_CONTROL) {
                if (!read_mark(json)) return 0;
            } else if (member == TYPE || member == TEXT) {
                if (!lk_read_string(json, &string)) return 0;
                if (member == TEXT)
                    *tokens += tokens_of(string.weight);
                else if (type_of(json, &string) != TEXT)
                    return 0;
            } else {
                return 0;
            }
        }
        if (next != 0 || (seen | CACHE_CONTROL) != (TYPE | TEXT | CACHE_CONTROL)) return 0;
    }
    return more == 0;
}

typedef struct {
    unsigned seen, type; /* the type by what it must have */
    int is_error;
    uint64_t tokens;      /* of the content of a result */
    lk_string text, name; /* `text`: that of `text`, `thinking` or `data` */
    size_t input, input_end;
    uint64_t key;
    int is_odd;
} Block;

static int read_member(lk_json *json, unsigned member, Block *block) {
    lk_string string;
    lk_kind kind;
    switch (member) {
    case TYPE:
        if (!lk_read_string(json, &string)) return 0;
        block->type = type_of(json, &string);
        return block->type != OTHER;
    case TEXT:
    case THINKING:
    case DATA: return lk_read_string(json, &block->text);
    case NAME: return lk_read_string(json, &block->name);
    case ID:
    case TOOL_USE_ID: return lk_read_string(json, &string);
    case SIGNATURE:
        return lk_read_string(json, &string) ||
               lk_read_value(json, 1, &block->key, &block->is_odd) == LK_NULL;
    case INPUT:
        block->input = json->at;
        kind = lk_read_value(json, 1, &block->key, &block->is_odd);
        block->input_end = json->at;
        return kind == LK_OBJECT;
    case IS_ERROR:
        block->is_error = lk_peek(json) == 't';
        kind = lk_read_value(json, 1, &block->key, &block->is_odd);
        return kind == LK_BOOLEAN || kind == LK_NULL;
    case CACHE_CONTROL: return read_mark(json);
    case CONTENT:
        if (lk_peek(json) == '[') return read_parts(json, &block->tokens);
        if (lk_read_string(json, &string)) {
            block->tokens = tokens_of(string.weight);
            return 1;
        }
        return lk_read_value(json, 1, &block->key, &block->is_odd) == LK_NULL;
    default: return 0;
    }
}

/* A text of the message that is read; 1, or -1 without memory. */
static int add_text(const lk_string *string, lk_turns *found) {
    found->tokens += tokens_of(string->weight);
    if (string->begin == string->end) return 1;
    if (!lk_grow((void **)&found->texts, found->text_count, &found->text_room,
                 sizeof *found->texts))
        return -1;
    found->texts[found->text_count++] =
        (lk_text){.turn = found->turn_count, .begin = string->begin, .end = string->end};
    return 1;
}

/* What the block adds; 1, 0 or -1 as for the list. */
static int add_block(const lk_json *json, const Block *block, lk_turns *found) {
    /* A member that the type has not, or one that it must have. */
    unsigned must = TYPE | block->type, may = CACHE_CONTROL;
    if (block->type == INPUT) must |= ID | NAME;
    if (block->type == TOOL_USE_ID) may |= CONTENT | IS_ERROR;
    if (block->type == THINKING) may = SIGNATURE;
    if (block->type == DATA) may = 0;
    if ((block->seen & must) != must || (block->seen & ~(must | may)) != 0) return 0;
    if (block->type == TOOL_USE_ID) {
        if (!lk_grow((void **)&found->results, found->result_count, &found->result_room,
                     sizeof *found->results))
            return -1;
        found->results[found->result_count++] =
            (lk_result){.turn = found->turn_count, .is_error = block->is_error};
        found->tokens += block->tokens;
        return 1;
    }
    if (block->type == INPUT) {
        const lk_string *name = &block->name;
        if (!lk_grow((void **)&found->calls, found->call_count, &found->call_room,
                     sizeof *found->calls))
            return -1;
        found->calls[found->call_count++] = (lk_call){
            .turn = found->turn_count,
            .name = name->begin - 1,
            .name_end = name->end + 1,
            .input = block->input,
            .input_end = block->input_end,
            .key = lk_key(json->text + name->begin, name->end - name->begin, block->key),
            .is_odd = block->is_odd || name->is_odd,
        };
        found->tokens += tokens_of(name->weight);
        found->tokens +=
            tokens_of(lk_weigh(json->text + block->input, block->input_end - block->input));
        return 1;
    }
    if (block->type == TEXT) return add_text(&block->text, found);
    found->has_reasoning = 1;
    /* Characters count there, not bytes. */
    if (block->type == DATA && !block->text.is_ascii) return 0;
    found->tokens += tokens_of(block->text.weight);
    return 1;
}

static int read_block(lk_json *json, lk_turns *found, lk_said *said) {
    Block block = {0};
    lk_string name;
    int more;
    if (lk_peek(json) != '{') return 0;
    json->at++;
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        unsigned member = member_of(json, &name);
        if (block.seen & member) return 0;
        block.seen |= member;
        if (!read_member(json, member, &block)) return 0;
    }
    if (said && block.type == TEXT && (block.seen & TEXT)) lk_hear(said, json, &block.text);
    return more == 0 ? add_block(json, &block, found) : 0;
}

/* Whether a user may speak: the role may come last. */
static int is_heard(unsigned role) { return role == USER || role == OTHER; }

static int read_turn(lk_json *json, lk_turns *found) {
    unsigned role = OTHER;
    int has_content = 0, is_content, more, done;
    size_t begin, blocks = 0, results = found->result_count;
    lk_string name, string;
    lk_said said = {0};
    if (lk_peek(json) != '{') return 0;
    begin = json->at++;
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        is_content = member_of(json, &name) == CONTENT;
        if (!is_content) {
            int is_role = name.end - name.begin == 4 &&
                          memcmp(json->text + name.begin, "role", 4) == 0;
            if (!is_role || role != OTHER || !lk_read_string(json, &string)) return 0;
            role = role_of(json, &string);
            if (role == OTHER) return 0;
            continue;
        }
        if (has_content) return 0;
        has_content = 1;
        if (lk_peek(json) != '[') {
            if (!lk_read_string(json, &string)) return 0;
            if (add_text(&string, found) < 0) return -1;
            if (is_heard(role)) lk_hear(&said, json, &string);
            continue;
        }
        json->at++;
        for (; (more = lk_next_item(json, blocks)) == 1; blocks++) {
            done = read_block(json, found, is_heard(role) ? &said : NULL);
            if (done != 1) return done;
        }
        if (more != 0) return 0;
    }
    if (more != 0 || role == OTHER || !has_content) return 0;
    if (!lk_grow((void **)&found->turns, found->turn_count, &found->turn_room,
                 sizeof *found->turns))
        return -1;
    if (role == USER && blocks > 0 && found->result_count - results == blocks) role = RESULT;
    found->turns[found->turn_count++] =
        (lk_turn){.begin = begin, .end = json->at, .kind = (unsigned char)role, .said = said};
    return 1;
}

int lk_read_turns(const unsigned char *text, size_t begin, size_t size, lk_turns *found) {
    lk_json json = {.text = text, .at = begin, .end = size};
    int more, done;
    *found = (lk_turns){0};
    if (begin > size || lk_peek(&json) != '[') return 0;
    json.at++;
    while ((more = lk_next_item(&json, found->turn_count)) == 1) {
        done = read_turn(&json, found);
        if (done != 1) return done;
    }
    found->end = json.at;
    found->is_ascii = !json.has_wide;
    return more == 0 && found->turn_count > 0;
}

int lk_may_repeat(const lk_turns *found, size_t first) {
    size_t count = found->call_count, size = 1, i = 0;
    uint64_t *kept; /* keys by their lower bits; 0 is none */
    int again = 0;
    while (i < count && found->calls[i].turn < first) i++;
    if (count - i < 2) return 0;
    while (size < 2 * (count - i)) size *= 2;
    kept = calloc(size, sizeof *kept);
    if (!kept) return -1;
    for (; i < count && !again; i++) {
        uint64_t key = found->calls[i].key;
        size_t at = (size_t)key & (size - 1);
        while (kept[at] != 0 && kept[at] != key) at = (at + 1) & (size - 1);
        again = kept[at] == key || key == 0 || found->calls[i].is_odd;
        kept[at] = key;
    }
    free(kept);
    return again;
}

void lk_tell_own(const unsigned char *text, const lk_turns *found, const unsigned char *prefixes,
                 size_t size, unsigned char *kinds) {
    for (size_t i = 0; i < found->turn_count; i++) {
        const lk_said *said = &found->turns[i].said;
        kinds[i] = found->turns[i].kind;
        if (kinds[i] != USER || said->own == LK_LOOK) continue;
        if (said->own == LK_NOTHING)
            kinds[i] = 'n';
        else if (!lk_may_begin(text, said->words, prefixes, size))
            kinds[i] = 'w';
    }
}

void lk_release_turns(lk_turns *found) {
    free(found->turns);
    free(found->results);
    free(found->calls);
    free(found->texts);
    *found = (lk_turns){0};
}

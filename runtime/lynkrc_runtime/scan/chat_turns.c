#include "chat_turns.h"

#include <stdlib.h>
#include <string.h>

enum { ASSISTANT = 'a', RESULT = 'r', SYSTEM = 's', USER = 'u' };

/* Members of messages, calls and parts. */
enum {
    ROLE = 1,
    CONTENT = 2,
    TOOL_CALLS = 4,
    TOOL_CALL_ID = 8,
    NAME = 16,
    REFUSAL = 32,
    REASONING = 64,
    NULLS = 128, /* members that are null wherever they are taken */
    ID = 256,
    TYPE = 512,
    FUNCTION = 1024,
    ARGUMENTS = 2048,
    TEXT = 4096,
    NULLS_TOO = 8192
};

#define IS(word) (size == sizeof(word) - 1 && memcmp(at, word, sizeof(word) - 1) == 0)

/* What a member's name means; 0 too where it is spelled with escapes. */
static unsigned member_of(const lk_json *json, const lk_string *string) {
    const unsigned char *at = json->text + string->begin;
    size_t size = string->end - string->begin;
    switch (size) {
    case 2: return IS("id") ? ID : 0;
    case 4:
        return IS("role") ? ROLE : IS("type") ? TYPE : IS("text") ? TEXT : IS("name") ? NAME : 0;
    case 5: return IS("audio") ? NULLS : 0;
    case 7: return IS("content") ? CONTENT : IS("refusal") ? REFUSAL : 0;
    case 8: return IS("function") ? FUNCTION : 0;
    case 9: return IS("arguments") ? ARGUMENTS : 0;
    case 10: return IS("tool_calls") ? TOOL_CALLS : 0;
    case 12: return IS("tool_call_id") ? TOOL_CALL_ID : 0;
    case 13: return IS("function_call") ? NULLS_TOO : 0;
    case 17: return IS("reasoning_content") ? REASONING : 0;
    default: return 0;
    }
}

static int says(const lk_json *json, const lk_string *string, const char *word) {
    size_t size = strlen(word);
    return string->end - string->begin == size &&
           memcmp(json->text + string->begin, word, size) == 0;
}

/* Tokens of a weight, rounded up. */
static uint64_t tokens_of(uint64_t weight) { return (weight + 19) / 20; }

static lk_span span_of(const lk_string *string) { return (lk_span){string->begin, string->end}; }

/* Room for `more` after `count`; 0 without memory. */
static int grow(void **items, size_t count, size_t more, size_t *room, size_t size) {
    size_t wanted = *room ? *room : 32;
    void *grown;
    if (more <= *room - count) return 1;
    while (wanted - count < more) wanted *= 2;
    grown = realloc(*items, wanted * size);
    if (!grown) return 0;
    *items = grown;
    *room = wanted;
    return 1;
}

static int add_piece(lk_chat *found, lk_piece piece) {
    if (!grow((void **)&found->pieces, found->piece_count, 1, &found->piece_room,
              sizeof *found->pieces))
        return -1;
    found->pieces[found->piece_count++] = piece;
    return 1;
}

static int read_null(lk_json *json) {
    uint64_t key = 0;
    int is_odd = 0;
    return lk_peek(json) == 'n' && lk_read_value(json, 1, &key, &is_odd) == LK_NULL;
}

static int add_text(lk_chat *found, const lk_json *json, unsigned char role,
                    const lk_string *string) {
    /* The role may come last. */
    if (role == USER || role == 0) lk_hear(&found->said, json, string);
    found->turns.tokens += tokens_of(string->weight);
    return add_piece(found, (lk_piece){.turn = found->turns.turn_count,
                                       .kind = LK_TEXT,
                                       .text = span_of(string)});
}

/* The texts of a list of parts; 1, 0 or -1 as for the list, as below. */
static int read_parts(lk_json *json, unsigned char role, lk_chat *found) {
    int more, next;
    json->at++;
    for (size_t parts = 0; (more = lk_next_item(json, parts)) == 1; parts++) {
        unsigned seen = 0;
        lk_string name, string, text = {0};
        if (lk_peek(json) != '{') return 0;
        json->at++;
        for (size_t count = 0; (next = lk_next_member(json, count, &name)) == 1; count++) {
            unsigned member = member_of(json, &name);
            if ((seen & member) || !(member & (TYPE | TEXT))) return 0;
            seen |= member;
            if (!lk_read_string(json, &string)) return 0;
            if (member == TEXT)
                text = string;
            else if (!says(json, &string, "text"))
                return 0;
        }
        if (next != 0 || seen != (TYPE | TEXT)) return 0;
        if (add_text(found, json, role, &text) < 0) return -1;
    }
    return more == 0;
}

/* What a string says that `lk_read_string` took: never longer than it is spelled. */
static size_t unescape(const unsigned char *text, size_t size, unsigned char *out) {
    unsigned char *to = out;
    size_t at = 0;
    while (at < size) {
        const unsigned char *next = memchr(text + at, '\\', size - at);
        size_t plain = next ? (size_t)(next - text) - at : size - at;
        uint32_t code;
        memcpy(to, text + at, plain);
        to += plain;
        at += plain;
        if (!next) break;
        at += 2;
        switch (next[1]) {
        case 'b': *to++ = '\b'; continue;
        case 'f': *to++ = '\f'; continue;
        case 'n': *to++ = '\n'; continue;
        case 'r': *to++ = '\r'; continue;
        case 't': *to++ = '\t'; continue;
        case 'u': break;
        default: *to++ = next[1]; continue;
        }
        code = lk_hex_at(text + at);
        at += 4;
        if (code >= 0xD800 && code <= 0xDBFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + (lk_hex_at(text + at + 2) - 0xDC00);
            at += 6;
        }
        if (code < 0x80) {
            *to++ = (unsigned char)code;
            continue;
        }
        if (code < 0x800) {
            *to++ = (unsigned char)(0xC0 | code >> 6);
        } else {
            if (code < 0x10000) {
                *to++ = (unsigned char)(0xE0 | code >> 12);
            } else {
                *to++ = (unsigned char)(0xF0 | code >> 18);
                *to++ = (unsigned char)(0x80 | (code >> 12 & 0x3F));
            }
            *to++ = (unsigned char)(0x80 | (code >> 6 & 0x3F));
        }
        *to++ = (unsigned char)(0x80 | (code & 0x3F));
    }
    return (size_t)(to - out);
}

int lk_read_input(const lk_json *json, const lk_string *given, lk_piece *call, uint64_t *key,
                  lk_chat *found) {
    size_t size = given->end - given->begin, begin = found->inputs_size;
    const unsigned char *text = json->text + given->begin;
    lk_json input;
    if (!grow((void **)&found->inputs, begin, size + 1, &found->inputs_room, 1)) return -1;
    if (given->is_escaped) {
        size = unescape(text, size, found->inputs + begin);
    } else {
        memcpy(found->inputs + begin, text, size);
    }
    input = (lk_json){.text = found->inputs, .at = begin, .end = begin + size};
    lk_peek(&input);
    call->input.begin = call->input.end = begin;
    if (input.at == input.end) {
        /* Nothing at all, which others say as `{}`. */
        call->is_odd = 1;
        return 1;
    }
    call->input.begin = input.at;
    if (lk_read_value(&input, 1, key, &call->is_odd) != LK_OBJECT) {
        call->is_odd = 1;
        found->is_plain = 0;
        return 1;
    }
    call->input.end = input.at;
    lk_peek(&input);
    if (input.at != input.end) {
        call->is_odd = 1;
        found->is_plain = 0;
    }
    found->inputs_size = begin + size;
    return 1;
}

/* `name` and `arguments` of a call. */
static int read_function(lk_json *json, lk_string *called, lk_string *given) {
    unsigned seen = 0;
    lk_string name;
    int more;
    if (lk_peek(json) != '{') return 0;
    json->at++;
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        unsigned member = member_of(json, &name);
        if ((seen & member) || !(member & (NAME | ARGUMENTS))) return 0;
        seen |= member;
        if (!lk_read_string(json, member == NAME ? called : given)) return 0;
    }
    return more == 0 && seen == (NAME | ARGUMENTS);
}

static int read_call(lk_json *json, lk_chat *found) {
    lk_turns *turns = &found->turns;
    lk_piece call = {.turn = turns->turn_count, .kind = LK_CALL};
    unsigned seen = 0;
    uint64_t key = 0;
    lk_string name, string, called = {0}, given = {0};
    int more;
    if (lk_peek(json) != '{') return 0;
    json->at++;
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        unsigned member = member_of(json, &name);
        if (seen & member) return 0;
        seen |= member;
        if (member == FUNCTION) {
            if (!read_function(json, &called, &given)) return 0;
        } else if (member == ID) {
            if (!lk_read_string(json, &string) || string.begin == string.end) return 0;
            call.id = span_of(&string);
        } else if (member != TYPE || !lk_read_string(json, &string) ||
                   !says(json, &string, "function")) {
            return 0;
        }
    }
    if (more != 0 || (seen | TYPE) != (ID | TYPE | FUNCTION)) return 0;
    call.name = span_of(&called);
    if (lk_read_input(json, &given, &call, &key, found) < 0 || add_piece(found, call) < 0 ||
        !grow((void **)&turns->calls, turns->call_count, 1, &turns->call_room,
              sizeof *turns->calls))
        return -1;
    turns->calls[turns->call_count++] = (lk_call){
        .turn = turns->turn_count,
        .name = called.begin - 1,
        .name_end = called.end + 1,
        .input = given.begin - 1,
        .input_end = given.end + 1,
        .key = lk_key(json->text + called.begin, called.end - called.begin, key),
        .is_odd = call.is_odd || called.is_odd,
    };
    turns->tokens += tokens_of(called.weight) + tokens_of(given.weight);
    return 1;
}

static int read_calls(lk_json *json, lk_chat *found) {
    int more, done;
    if (lk_peek(json) != '[') return read_null(json);
    json->at++;
    for (size_t count = 0; (more = lk_next_item(json, count)) == 1; count++) {
        done = read_call(json, found);
        if (done != 1) return done;
    }
    return more == 0;
}

typedef struct {
    unsigned seen;
    unsigned char role; /* 0 for a tool's answer */
    int is_empty;       /* `content` is null */
    lk_span answers;    /* `tool_call_id` */
} Entry;

static int read_role(lk_json *json, Entry *entry) {
    lk_string string;
    if (!lk_read_string(json, &string)) return 0;
    entry->role = says(json, &string, "assistant")   ? ASSISTANT
                  : says(json, &string, "user")      ? USER
                  : says(json, &string, "tool")      ? RESULT
                  : says(json, &string, "system")    ? SYSTEM
                  : says(json, &string, "developer") ? SYSTEM
                                                     : 0;
    return entry->role != 0;
}

static int read_member(lk_json *json, unsigned member, Entry *entry, lk_chat *found) {
    lk_string string;
    switch (member) {
    case ROLE: return read_role(json, entry);
    case CONTENT:
        if (lk_peek(json) == '[') return read_parts(json, entry->role, found);
        if (lk_read_string(json, &string)) return add_text(found, json, entry->role, &string);
        entry->is_empty = 1;
        return read_null(json);
    case TOOL_CALLS: return read_calls(json, found);
    case TOOL_CALL_ID:
        if (!lk_read_string(json, &string)) return 0;
        entry->answers = span_of(&string);
        return 1;
    case NAME: return lk_read_string(json, &string) || read_null(json);
    case REFUSAL:
    case REASONING:
        if (!lk_read_string(json, &string)) return read_null(json);
        if (string.begin == string.end) return 1;
        found->turns.tokens += tokens_of(string.weight);
        if (member == REASONING)
            found->turns.has_reasoning = 1;
        else
            found->has_refusal = 1;
        found->is_plain = 0;
        return 1;
    case NULLS:
    case NULLS_TOO: return read_null(json);
    default: return 0;
    }
}

static int add_turn(lk_chat *found, size_t begin, size_t end, unsigned char kind) {
    lk_turns *turns = &found->turns;
    if (!grow((void **)&turns->turns, turns->turn_count, 1, &turns->turn_room,
              sizeof *turns->turns))
        return -1;
    turns->turns[turns->turn_count++] =
        (lk_turn){.begin = begin, .end = end, .kind = kind, .said = found->said};
    return 1;
}

/* An answer of a tool, whose texts are the pieces from `first` on. */
static int add_answer(const Entry *entry, size_t first, size_t begin, size_t end, int goes_on,
                      lk_chat *found) {
    lk_turns *turns = &found->turns;
    lk_piece answer = {.kind = LK_ANSWER, .id = entry->answers};
    if (found->piece_count > first) answer.text = found->pieces[first].text;
    if (found->piece_count > first + 1) found->is_plain = 0;
    found->piece_count = first;
    if (goes_on)
        turns->turns[turns->turn_count - 1].end = end;
    else if (add_turn(found, begin, end, RESULT) < 0)
        return -1;
    answer.turn = turns->turn_count - 1;
    if (!grow((void **)&turns->results, turns->result_count, 1, &turns->result_room,
              sizeof *turns->results))
        return -1;
    turns->results[turns->result_count++] = (lk_result){.turn = answer.turn};
    return add_piece(found, answer);
}

/* A message; `goes_on` tells whether the one before was a tool's answer, and then whether this is. */
static int read_entry(lk_json *json, int *goes_on, lk_chat *found) {
    lk_turns *turns = &found->turns;
    Entry entry = {0};
    size_t begin, first = found->piece_count;
    uint64_t tokens = turns->tokens;
    unsigned must, may = 0;
    int more, done, answered = *goes_on;
    lk_string name;
    if (lk_peek(json) != '{') return 0;
    begin = json->at++;
    found->said = (lk_said){0};
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        unsigned member = member_of(json, &name);
        if (entry.seen & member) return 0;
        /* Words stand before calls in a message that is written. */
        if (member == CONTENT && (entry.seen & TOOL_CALLS)) found->is_plain = 0;
        entry.seen |= member;
        done = read_member(json, member, &entry, found);
        if (done != 1) return done;
    }
    if (more != 0) return 0;
    must = ROLE | CONTENT;
    if (entry.role == ASSISTANT) {
        must = ROLE;
        may = CONTENT | TOOL_CALLS | REFUSAL | REASONING | NULLS | NULLS_TOO;
    } else if (entry.role == RESULT) {
        must = ROLE | TOOL_CALL_ID;
        may = CONTENT | NAME;
    }
    if ((entry.seen & must) != must || (entry.seen & ~(must | may)) != 0) return 0;
    if (entry.is_empty && (must & CONTENT)) return 0;
    *goes_on = entry.role == RESULT;
    if (entry.role == RESULT) return add_answer(&entry, first, begin, json->at, answered, found);
    if (entry.role == SYSTEM && turns->turn_count == 0) {
        found->system_end = json->at;
        found->piece_count = first;
        turns->tokens = tokens;
        return 1;
    }
    return add_turn(found, begin, json->at, entry.role);
}

int lk_read_chat(const unsigned char *text, size_t begin, size_t size, lk_chat *found) {
    lk_json json = {.text = text, .at = begin, .end = size};
    int more, done, goes_on = 0;
    *found = (lk_chat){.is_plain = 1};
    if (begin > size || lk_peek(&json) != '[') return 0;
    json.at++;
    for (size_t count = 0; (more = lk_next_item(&json, count)) == 1; count++) {
        done = read_entry(&json, &goes_on, found);
        if (done != 1) return done;
    }
    found->turns.end = json.at;
    found->turns.is_ascii = !json.has_wide;
    return more == 0 && found->turns.turn_count > 0;
}

void lk_release_chat(lk_chat *found) {
    lk_release_turns(&found->turns);
    free(found->pieces);
    free(found->inputs);
    *found = (lk_chat){0};
}

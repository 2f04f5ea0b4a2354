#include "items.h"

#include "room.h"

#include <string.h>

enum { ASSISTANT = 'a', RESULT = 'r', SYSTEM = 's', USER = 'u' };

/* Members of items and parts. */
enum {
    TYPE = 1,
    ROLE = 2,
    CONTENT = 4,
    CALL_ID = 8,
    NAME = 16,
    ARGUMENTS = 32,
    INPUT = 64,
    OUTPUT = 128,
    NAMESPACE = 256,
    LABELS = 512, /* `id` */
    STATUS = 1024,
    SUMMARY = 2048,
    SEALED = 4096,
    TEXT = 8192,
    NOTES = 16384, /* `annotations` */
    CHANCES = 32768, /* `logprobs` */
    NO_CONTENT = 65536
};

#define IS(word) (size == sizeof(word) - 1 && memcmp(at, word, sizeof(word) - 1) == 0)

/* What a member's name means; 0 too where it is spelled with escapes. */
static unsigned member_of(const lk_json *json, const lk_string *string) {
    const unsigned char *at = json->text + string->begin;
    size_t size = string->end - string->begin;
    switch (size) {
    case 2: return IS("id") ? LABELS : 0;
    case 4:
        return IS("type") ? TYPE : IS("role") ? ROLE : IS("name") ? NAME : IS("text") ? TEXT : 0;
    case 5: return IS("input") ? INPUT : 0;
    case 6: return IS("output") ? OUTPUT : IS("status") ? STATUS : 0;
    case 7: return IS("content") ? CONTENT : IS("call_id") ? CALL_ID : IS("summary") ? SUMMARY : 0;
    case 8: return IS("logprobs") ? CHANCES : 0;
    case 9: return IS("arguments") ? ARGUMENTS : IS("namespace") ? NAMESPACE : 0;
    case 11: return IS("annotations") ? NOTES : 0;
    case 17: return IS("encrypted_content") ? SEALED : 0;
    default: return 0;
    }
}

typedef enum { NO_ITEM, SAID, CALLED, GIVEN, RETURNED, THOUGHT } Kind;

static Kind kind_of(const lk_json *json, const lk_string *string) {
    const unsigned char *at = json->text + string->begin;
    size_t size = string->end - string->begin;
    return IS("message")                   ? SAID
           : IS("function_call")           ? CALLED
           : IS("custom_tool_call")        ? GIVEN
           : IS("function_call_output")    ? RETURNED
           : IS("custom_tool_call_output") ? RETURNED
           : IS("reasoning")               ? THOUGHT
                                           : NO_ITEM;
}

static unsigned char role_of(const lk_json *json, const lk_string *string) {
    const unsigned char *at = json->text + string->begin;
    size_t size = string->end - string->begin;
    return IS("user")        ? USER
           : IS("assistant") ? ASSISTANT
           : IS("system")    ? SYSTEM
           : IS("developer") ? SYSTEM
                             : 0;
}

/* Tokens of a weight, rounded up. */
static uint64_t tokens_of(uint64_t weight) { return (weight + 19) / 20; }

static lk_span span_of(const lk_string *string) {
    return (lk_span){.begin = string->begin, .end = string->end};
}

static int read_null(lk_json *json) {
    uint64_t key = 0;
    int is_odd = 0;
    return lk_peek(json) == 'n' && lk_read_value(json, 1, &key, &is_odd) == LK_NULL;
}

static int read_label(lk_json *json) {
    lk_string string;
    return lk_read_string(json, &string) || read_null(json);
}

/* `[]` or null. */
static int read_nothing(lk_json *json) {
    if (lk_peek(json) != '[') return read_null(json);
    json->at++;
    return lk_next_item(json, 0) == 0;
}

static int add_piece(lk_chat *found, lk_piece piece) {
    if (!lk_grow((void **)&found->pieces, found->piece_count, &found->piece_room,
                 sizeof *found->pieces))
        return -1;
    found->pieces[found->piece_count++] = piece;
    return 1;
}

static int add_text(lk_chat *found, const lk_json *json, int is_heard, const lk_string *string) {
    if (is_heard) lk_hear(&found->said, json, string);
    found->turns.tokens += tokens_of(string->weight);
    return add_piece(found, (lk_piece){.kind = LK_TEXT, .text = span_of(string)});
}

/* A part with a text; its type may be any where it is a summary's. */
static int read_part(lk_json *json, int is_summary, lk_string *text) {
    unsigned seen = 0, may = is_summary ? 0 : NOTES | CHANCES;
    int more, is_output = 0;
    lk_string name, string;
    if (lk_peek(json) != '{') return 0;
    json->at++;
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        unsigned member = member_of(json, &name);
        if ((seen & member) || !(member & (TYPE | TEXT | may))) return 0;
        seen |= member;
        if (member & (NOTES | CHANCES)) {
            if (!read_nothing(json)) return 0;
            continue;
        }
        if (!lk_read_string(json, &string)) return 0;
        if (member == TEXT) {
            *text = string;
        } else if (!is_summary) {
            const unsigned char *at = json->text + string.begin;
            size_t size = string.end - string.begin;
            is_output = IS("output_text");
            if (!is_output && !IS("input_text") && !IS("text")) return 0;
        }
    }
    if (more != 0 || (seen & (TYPE | TEXT)) != (TYPE | TEXT)) return 0;
    return is_output || !(seen & (NOTES | CHANCES));
}

/* A text or a list of them, which a user may have said where it is heard; 1, 0 or -1 as for all. */
static int read_texts(lk_json *json, int is_heard, lk_chat *found) {
    lk_string string;
    int more, done;
    if (lk_read_string(json, &string)) return add_text(found, json, is_heard, &string);
    if (lk_peek(json) != '[') return 0;
    json->at++;
    for (size_t count = 0; (more = lk_next_item(json, count)) == 1; count++) {
        if (!read_part(json, 0, &string)) return 0;
        done = add_text(found, json, is_heard, &string);
        if (done != 1) return done;
    }
    return more == 0;
}

/* The texts of a summary, of which two lines come between. */
static int read_summary(lk_json *json, uint64_t *weight) {
    lk_string text;
    int more;
    if (lk_peek(json) != '[') return read_null(json);
    json->at++;
    for (size_t count = 0; (more = lk_next_item(json, count)) == 1; count++) {
        if (!read_part(json, 1, &text)) return 0;
        *weight += text.weight + (count ? 10 : 0);
    }
    return more == 0;
}

/* What only its maker reads; what this project carries there is read by others. */
static int read_sealed(lk_json *json) {
    lk_string string;
    if (!lk_read_string(json, &string)) return read_null(json);
    return !string.is_escaped && (string.end - string.begin < 4 ||
                                  memcmp(json->text + string.begin, "gw1.", 4) != 0);
}

typedef struct {
    unsigned seen;
    Kind kind;
    unsigned char role;
    int is_named;
    lk_string name, given; /* `given`: that of `arguments` or `input` */
    lk_span call;          /* `call_id` */
    uint64_t summary;      /* its weight */
} Item;

static int read_member(lk_json *json, unsigned member, Item *item, lk_chat *found) {
    lk_string string;
    switch (member) {
    case TYPE:
        if (!lk_read_string(json, &string)) return 0;
        item->kind = kind_of(json, &string);
        return item->kind != NO_ITEM;
    case ROLE:
        if (!lk_read_string(json, &string)) return 0;
        item->role = role_of(json, &string);
        return item->role != 0;
    case CONTENT:
        /* Without words an assistant's is no message. */
        if (json->end - json->at > 1 && memcmp(json->text + json->at, "\"\"", 2) == 0) return 0;
        /* The role may come last. */
        return read_texts(json, item->role == USER || item->role == 0, found);
    case OUTPUT: return read_texts(json, 0, found);
    case NO_CONTENT: return read_null(json);
    case CALL_ID:
        if (!lk_read_string(json, &string)) return 0;
        item->call = span_of(&string);
        return 1;
    case NAME:
        item->is_named = lk_read_string(json, &item->name);
        return item->is_named || read_null(json);
    case ARGUMENTS:
    case INPUT: return lk_read_string(json, &item->given);
    case NAMESPACE: return read_null(json);
    case LABELS:
    case STATUS: return read_label(json);
    case SUMMARY: return read_summary(json, &item->summary);
    case SEALED: return read_sealed(json);
    default: return 0;
    }
}

/* Whether it has what its kind must have, and nothing else. */
static int is_whole(const Item *item) {
    unsigned must = TYPE, may = LABELS | STATUS;
    switch (item->kind) {
    case SAID: must |= ROLE | CONTENT; break;
    case CALLED: must |= CALL_ID | NAME | ARGUMENTS, may |= NAMESPACE; break;
    case GIVEN: must |= CALL_ID | NAME | INPUT, may |= NAMESPACE; break;
    case RETURNED: must |= CALL_ID | OUTPUT, may |= NAME | NAMESPACE; break;
    case THOUGHT: may |= SUMMARY | SEALED | NO_CONTENT; break;
    default: return 0;
    }
    return (item->seen & must) == must && (item->seen & ~(must | may)) == 0;
}

/* The message that the item is part of: a new one, where `kind` is not the one that goes on. */
static int add_turn(size_t begin, size_t end, unsigned char kind, unsigned char *goes_on,
                    lk_chat *found) {
    lk_turns *turns = &found->turns;
    unsigned char before = *goes_on;
    *goes_on = kind == ASSISTANT || kind == RESULT ? kind : 0;
    if (before == kind) {
        turns->turns[turns->turn_count - 1].end = end;
        return 1;
    }
    if (!lk_grow((void **)&turns->turns, turns->turn_count, &turns->turn_room,
                 sizeof *turns->turns))
        return -1;
    turns->turns[turns->turn_count++] =
        (lk_turn){.begin = begin, .end = end, .kind = kind, .said = found->said};
    return 1;
}

/* A call in the last message. */
static int add_call(const lk_json *json, const Item *item, lk_chat *found) {
    lk_turns *turns = &found->turns;
    lk_piece call = {.turn = turns->turn_count - 1,
                     .kind = LK_CALL,
                     .id = item->call,
                     .name = span_of(&item->name)};
    const lk_string *name = &item->name, *given = &item->given;
    uint64_t key = 0;
    if (item->kind == GIVEN) found->is_plain = 0;
    if (lk_read_input(json, given, &call, &key, found) < 0 || add_piece(found, call) < 0 ||
        !lk_grow((void **)&turns->calls, turns->call_count, &turns->call_room,
                 sizeof *turns->calls))
        return -1;
    turns->calls[turns->call_count++] = (lk_call){
        .turn = call.turn,
        .name = name->begin - 1,
        .name_end = name->end + 1,
        .input = given->begin - 1,
        .input_end = given->end + 1,
        .key = lk_key(json->text + name->begin, name->end - name->begin, key),
        .is_odd = call.is_odd || name->is_odd,
    };
    turns->tokens += tokens_of(name->weight) + tokens_of(given->weight);
    return 1;
}

/* A result in the last message, whose texts are the pieces from `first` on. */
static int add_result(const Item *item, size_t first, lk_chat *found) {
    lk_turns *turns = &found->turns;
    lk_piece answer = {.turn = turns->turn_count - 1, .kind = LK_ANSWER, .id = item->call};
    if (found->piece_count > first) answer.text = found->pieces[first].text;
    if (found->piece_count > first + 1) found->is_plain = 0;
    found->piece_count = first;
    if (!lk_grow((void **)&turns->results, turns->result_count, &turns->result_room,
                 sizeof *turns->results))
        return -1;
    turns->results[turns->result_count++] = (lk_result){.turn = answer.turn};
    return add_piece(found, answer);
}

/* Whether an assistant's words stand behind a call of the same message. */
static int is_behind_call(const lk_chat *found, size_t first) {
    return first > 0 && found->pieces[first - 1].kind == LK_CALL &&
           found->pieces[first - 1].turn == found->turns.turn_count - 1;
}

static int read_item(lk_json *json, unsigned char *goes_on, lk_chat *found) {
    lk_turns *turns = &found->turns;
    Item item = {0};
    size_t begin, first = found->piece_count;
    uint64_t tokens = turns->tokens;
    unsigned char kind;
    lk_string name;
    int more, done;
    if (lk_peek(json) != '{') return 0;
    begin = json->at++;
    found->said = (lk_said){0};
    for (size_t count = 0; (more = lk_next_member(json, count, &name)) == 1; count++) {
        unsigned member = member_of(json, &name);
        if (member == CONTENT && lk_peek(json) == 'n') member = NO_CONTENT;
        if (item.seen & member) return 0;
        item.seen |= member;
        done = read_member(json, member, &item, found);
        if (done != 1) return done;
    }
    if (more != 0 || !is_whole(&item)) return 0;
    kind = item.kind == SAID ? item.role : item.kind == RETURNED ? RESULT : ASSISTANT;
    if (kind == SYSTEM && turns->turn_count == 0) {
        found->system_end = json->at;
        found->piece_count = first;
        turns->tokens = tokens;
        return 1;
    }
    if (add_turn(begin, json->at, kind, goes_on, found) < 0) return -1;
    switch (item.kind) {
    case SAID:
        if (kind == ASSISTANT && found->piece_count == first) return 0;
        if (kind == ASSISTANT && is_behind_call(found, first)) found->is_plain = 0;
        for (size_t i = first; i < found->piece_count; i++)
            found->pieces[i].turn = turns->turn_count - 1;
        return 1;
    case CALLED:
    case GIVEN: return item.is_named ? add_call(json, &item, found) : 0;
    case RETURNED: return add_result(&item, first, found);
    default:
        turns->has_reasoning = 1;
        turns->tokens += tokens_of(item.summary);
        found->is_plain = 0;
        return 1;
    }
}

int lk_read_items(const unsigned char *text, size_t begin, size_t size, lk_chat *found) {
    lk_json json = {.text = text, .at = begin, .end = size};
    unsigned char goes_on = 0;
    int more, done;
    *found = (lk_chat){.is_plain = 1};
    if (begin > size || lk_peek(&json) != '[') return 0;
    json.at++;
    for (size_t count = 0; (more = lk_next_item(&json, count)) == 1; count++) {
        done = read_item(&json, &goes_on, found);
        if (done != 1) return done;
    }
    found->turns.end = json.at;
    found->turns.is_ascii = !json.has_wide;
    return more == 0 && found->turns.turn_count > 0;
}

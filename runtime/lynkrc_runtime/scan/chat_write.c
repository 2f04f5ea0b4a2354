#include "json_write.h"

enum { ASSISTANT = 'a', RESULT = 'r', SYSTEM = 's', USER = 'u' };
enum { LONGEST_NAME = 128, MOST_OUT_OF_ORDER = 32 };

/* Whether it is surely no white space, nor what is not looked at closely. */
static int is_word(uint32_t code) {
    return (code > ' ' && code < 0x7F) || (code > 0xA0 && code < 0x1680) || code > 0x3000;
}

/* Whether a text says anything: 1; 0 where it is blank or empty; -1 where that is not plain. */
static int says_anything(const unsigned char *text, lk_span span) {
    int is_sure = 1;
    for (size_t at = span.begin; at < span.end; at++) {
        unsigned char byte = text[at];
        if (byte == ' ') continue;
        if (byte == '\\') {
            byte = text[++at];
            if (byte == 'n' || byte == 't' || byte == 'r' || byte == 'f') continue;
            if (byte != 'u' || is_word(lk_hex_at(text + at + 1))) return 1;
            at += 4;
        } else if (byte < 0x80 ? is_word(byte)
                               : byte == 0xE3 ? text[at + 1] > 0x80
                                              : byte > 0xC2 && byte != 0xE1 && byte != 0xE2) {
            /* White space beyond U+0080 begins with the others. */
            return 1;
        }
        is_sure = 0;
    }
    return is_sure ? 0 : -1;
}

/* Whether the answers are to the calls, one to each; both have legal ids. */
static int are_answered(const unsigned char *text, const lk_piece *calls, size_t count,
                        const lk_piece *answers) {
    uint32_t open = 0;
    size_t i = 0;
    if (count > MOST_OUT_OF_ORDER) return 0;
    for (i = 0; i < count; i++) {
        size_t call = i;
        /* Calls with one id are none of ours. */
        for (size_t other = 0; other < i; other++)
            if (lk_are_alike(text, calls[i].id, calls[other].id)) return 0;
        if (!lk_are_alike(text, calls[call].id, answers[i].id))
            for (call = 0; call < count; call++)
                if (lk_are_alike(text, calls[call].id, answers[i].id)) break;
        if (call == count || (open >> call & 1)) return 0;
        open |= UINT32_C(1) << call;
    }
    return 1;
}

/* A block; 1 where one was written, 0 where it says nothing, -1 where care is needed. */
static int put_piece(lk_writer *writer, const unsigned char *text, const lk_chat *found,
                     const lk_piece *piece, int is_first) {
    int is_said = piece->kind == LK_CALL ? 1 : says_anything(text, piece->text);
    if (is_said < 0 || (piece->kind == LK_TEXT && is_said == 0)) return is_said;
    if (piece->kind != LK_TEXT && !lk_is_legal(text, piece->id, LONGEST_NAME)) return -1;
    if (!is_first) LK_PUT(writer, ",");
    if (piece->kind == LK_TEXT) {
        LK_PUT(writer, "{\"type\":\"text\",\"text\":\"");
        lk_put_span(writer, text, piece->text);
        LK_PUT(writer, "\"}");
        return 1;
    }
    if (piece->kind == LK_CALL) {
        if (!lk_is_legal(text, piece->name, LONGEST_NAME)) return -1;
        LK_PUT(writer, "{\"type\":\"tool_use\",\"id\":\"");
        lk_put_span(writer, text, piece->id);
        LK_PUT(writer, "\",\"name\":\"");
        lk_put_span(writer, text, piece->name);
        LK_PUT(writer, "\",\"input\":");
        if (piece->input.begin == piece->input.end)
            LK_PUT(writer, "{}");
        else
            lk_put_span(writer, found->inputs, piece->input);
        LK_PUT(writer, "}");
        return 1;
    }
    LK_PUT(writer, "{\"type\":\"tool_result\",\"tool_use_id\":\"");
    lk_put_span(writer, text, piece->id);
    LK_PUT(writer, "\"");
    if (is_said) {
        LK_PUT(writer, ",\"content\":\"");
        lk_put_span(writer, text, piece->text);
        LK_PUT(writer, "\"");
    }
    LK_PUT(writer, "}");
    return 1;
}

size_t lk_write_messages(const unsigned char *text, const lk_chat *found, unsigned char *out) {
    const lk_turns *turns = &found->turns;
    const lk_piece *pieces = found->pieces;
    lk_writer writer = {.out = out};
    size_t at = 0, calls_at = 0, calls = 0;
    unsigned char before = 0;
    if (!found->is_plain || turns->turns[turns->turn_count - 1].kind == ASSISTANT) return 0;
    LK_PUT(&writer, "[");
    for (size_t i = 0; i < turns->turn_count; i++) {
        unsigned char kind = turns->turns[i].kind;
        size_t first = at, blocks = 0, called = 0;
        int joins = before == USER || before == RESULT;
        while (at < found->piece_count && pieces[at].turn == i) at++;
        if (kind == SYSTEM) return 0;
        if (kind == ASSISTANT) {
            if (!joins) return 0;
            LK_PUT(&writer, "]},{\"role\":\"assistant\",\"content\":[");
            joins = 0;
        } else if (!joins) {
            if (before == ASSISTANT) LK_PUT(&writer, "]},");
            LK_PUT(&writer, "{\"role\":\"user\",\"content\":[");
        }
        /* Answers come right after their calls, and nowhere else. */
        if ((kind == RESULT) != (calls > 0)) return 0;
        if (kind == RESULT &&
            (calls != at - first || !are_answered(text, pieces + calls_at, calls, pieces + first)))
            return 0;
        for (size_t one = first; one < at; one++) {
            int done = put_piece(&writer, text, found, &pieces[one], blocks == 0 && !joins);
            if (done < 0) return 0;
            blocks += (size_t)done;
            if (pieces[one].kind == LK_CALL && called++ == 0) calls_at = one;
        }
        if (blocks == 0) return 0;
        calls = called;
        before = kind;
    }
    LK_PUT(&writer, "]}]");
    return writer.size;
}

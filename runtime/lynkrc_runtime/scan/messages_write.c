#include "messages_write.h"

#include "room.h"

enum { ASSISTANT = 'a', RESULT = 'r', TOOL = 't', USER = 'u' };
enum { LONGEST_ID = 40, LONGEST_NAME = 64, MOST_CALLS = 64 };

/* Reading. What `lk_read_turns` took has members in no order, but none twice and none it should not
 * have; each kind of block has one that no other has. */

static lk_block *add_block(lk_blocks *blocks, size_t turn, lk_block_kind kind) {
    if (!lk_grow((void **)&blocks->blocks, blocks->count, &blocks->room, sizeof *blocks->blocks))
        return NULL;
    blocks->blocks[blocks->count] = (lk_block){.turn = turn, .kind = kind};
    return &blocks->blocks[blocks->count++];
}

static lk_span span_of(const lk_string *string) {
    return (lk_span){.begin = string->begin, .end = string->end};
}

static int skip_value(lk_json *json) {
    uint64_t key = 0;
    int is_odd = 0;
    return lk_read_value(json, 1, &key, &is_odd) != LK_WRONG;
}

static int read_span(lk_json *json, lk_span *span) {
    lk_string string;
    if (!lk_read_string(json, &string)) return 0;
    *span = span_of(&string);
    return 1;
}

static int read_mark(lk_json *json, lk_span *mark) {
    size_t begin = json->at;
    int is_object = lk_peek(json) == '{';
    if (!skip_value(json)) return 0;
    if (is_object) *mark = (lk_span){.begin = begin, .end = json->at};
    return 1;
}

/* The bytes that stand for some in a string: white space outside of strings may be lines, too. */
static size_t escaped_size(const unsigned char *text, lk_span span) {
    size_t size = span.end - span.begin;
    for (size_t at = span.begin; at < span.end; at++)
        size += text[at] == '"' || text[at] == '\\' || text[at] < ' ';
    return size;
}

#define IS(word) (size == sizeof(word) - 1 && memcmp(at, word, sizeof(word) - 1) == 0)

/* `call` is the one that comes next; it is gone by where its input was read. */
typedef struct {
    const lk_turns *found;
    lk_blocks *blocks;
    size_t turn, call;
} Reader;

static int read_content(lk_json *json, Reader *reader, lk_block_kind kind);

/* A block, at its brace; 1, 0 or -1 as for all. */
static int read_block(lk_json *json, Reader *reader, lk_block_kind kind) {
    size_t place = reader->blocks->count;
    lk_block block = {.turn = reader->turn, .kind = kind};
    lk_string member;
    int more, done;
    if (!add_block(reader->blocks, reader->turn, kind)) return -1;
    if (lk_peek(json) != '{') return 0;
    json->at++;
    for (size_t count = 0; (more = lk_next_member(json, count, &member)) == 1; count++) {
        const unsigned char *at = json->text + member.begin;
        size_t size = member.end - member.begin;
        if (IS("text")) {
            done = read_span(json, &block.text);
        } else if (IS("id")) {
            done = read_span(json, &block.id);
        } else if (IS("name")) {
            done = read_span(json, &block.name);
        } else if (IS("tool_use_id")) {
            block.kind = LK_RETURNED;
            done = read_span(json, &block.id);
        } else if (IS("input")) {
            const lk_call *call = &reader->found->calls[reader->call];
            if (reader->call == reader->found->call_count || call->input != json->at) return 0;
            reader->call++;
            block.kind = LK_CALLED;
            block.input = (lk_span){.begin = call->input, .end = call->input_end};
            block.escaped = escaped_size(json->text, block.input);
            json->at = call->input_end;
            done = 1;
        } else if (IS("content")) {
            done = kind == LK_SAID ? read_content(json, reader, LK_PART) : 0;
        } else if (IS("is_error")) {
            block.is_error = lk_peek(json) == 't';
            done = skip_value(json);
        } else if (IS("cache_control")) {
            done = read_mark(json, &block.mark);
        } else {
            if (IS("thinking") || IS("data")) block.kind = LK_THOUGHT;
            done = skip_value(json);
        }
        if (done != 1) return done;
    }
    reader->blocks->blocks[place] = block;
    return more == 0;
}

/* A text or a list of blocks. */
static int read_content(lk_json *json, Reader *reader, lk_block_kind kind) {
    int more, done;
    if (lk_peek(json) == '"') {
        lk_block *block = add_block(reader->blocks, reader->turn, kind);
        return block ? read_span(json, &block->text) : -1;
    }
    if (lk_peek(json) != '[') return skip_value(json);
    json->at++;
    for (size_t count = 0; (more = lk_next_item(json, count)) == 1; count++) {
        done = read_block(json, reader, kind);
        if (done != 1) return done;
    }
    return more == 0;
}

int lk_read_blocks(const unsigned char *text, const lk_turns *found, lk_blocks *blocks) {
    Reader reader = {.found = found, .blocks = blocks};
    *blocks = (lk_blocks){.inputs = text};
    for (; reader.turn < found->turn_count; reader.turn++) {
        const lk_turn *turn = &found->turns[reader.turn];
        lk_json json = {.text = text, .at = turn->begin + 1, .end = turn->end};
        lk_string member;
        int more, done;
        for (size_t count = 0; (more = lk_next_member(&json, count, &member)) == 1; count++) {
            const unsigned char *at = text + member.begin;
            size_t size = member.end - member.begin;
            done = IS("content") ? read_content(&json, &reader, LK_SAID) : skip_value(&json);
            if (done != 1) return done;
        }
        if (more != 0) return 0;
    }
    return 1;
}

int lk_take_pieces(const lk_chat *found, lk_blocks *blocks) {
    *blocks = (lk_blocks){.inputs = found->inputs};
    if (!found->is_plain) return 0;
    for (size_t i = 0; i < found->piece_count; i++) {
        const lk_piece *piece = &found->pieces[i];
        lk_block_kind kind = piece->kind == LK_TEXT   ? LK_SAID
                             : piece->kind == LK_CALL ? LK_CALLED
                                                      : LK_RETURNED;
        lk_block *block = add_block(blocks, piece->turn, kind);
        if (!block) return -1;
        if (kind == LK_SAID) block->text = piece->text;
        block->id = piece->id;
        block->name = piece->name;
        if (kind == LK_CALLED) {
            block->input = piece->input;
            block->escaped = escaped_size(found->inputs, piece->input);
        }
        if (kind != LK_RETURNED) continue;
        block = add_block(blocks, piece->turn, LK_PART);
        if (!block) return -1;
        block->text = piece->text;
    }
    return 1;
}

void lk_release_blocks(lk_blocks *blocks) {
    free(blocks->blocks);
    *blocks = (lk_blocks){0};
}

/* Writing. An assistant's message and what comes before the next one are written together: first its
 * results, then what is said. */

typedef struct {
    const unsigned char *text, *inputs;
    const lk_block *blocks;
    lk_wishes wishes;
    lk_writer writer;
    lk_written told;
    unsigned char side;       /* whose message was written last; 0 before any */
    lk_span open[MOST_CALLS]; /* the calls of the last assistant, by id */
    size_t open_count, answered;
} Chat;

static int is_empty(lk_span span) { return span.begin == span.end; }

static void lose(Chat *chat, char loss) {
    for (size_t i = 0; i < chat->told.count; i++)
        if (chat->told.losses[i] == loss) return;
    chat->told.losses[chat->told.count++] = loss;
}

static void lose_mark(Chat *chat, const lk_block *block) {
    if (!is_empty(block->mark)) lose(chat, LK_MARKS_LOST);
}

static void put_text(Chat *chat, lk_span span) { lk_put_span(&chat->writer, chat->text, span); }

/* An object as what a string holds. */
static void put_escaped(Chat *chat, const lk_block *call) {
    const unsigned char *text = chat->inputs;
    size_t plain = call->input.begin, at;
    if (is_empty(call->input)) LK_PUT(&chat->writer, "{}");
    if (!chat->writer.out) {
        chat->writer.size += call->escaped;
        return;
    }
    for (at = plain; at < call->input.end; at++) {
        unsigned char byte = text[at];
        char escape[2] = {'\\', (char)byte};
        if (byte >= ' ' && byte != '"' && byte != '\\') continue;
        if (byte < ' ') escape[1] = byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r';
        lk_put(&chat->writer, text + plain, at - plain);
        lk_put(&chat->writer, escape, 2);
        plain = at + 1;
    }
    lk_put(&chat->writer, text + plain, at - plain);
}

/* The beginning of a message of this side; 0 where the target would not take it here. */
static int begin_message(Chat *chat, unsigned char side) {
    if (side == chat->side && side != TOOL && !chat->wishes.takes_neighbours) return 0;
    if (chat->side) LK_PUT(&chat->writer, ",");
    chat->side = side;
    return 1;
}

/* The calls of an assistant, whose ids are legal and its own. */
static int open_calls(Chat *chat, size_t first, size_t end) {
    chat->open_count = 0;
    for (size_t i = first; i < end; i++) {
        const lk_block *block = &chat->blocks[i];
        if (block->kind != LK_CALLED) continue;
        if (chat->open_count == MOST_CALLS || !lk_is_legal(chat->text, block->id, LONGEST_ID) ||
            !lk_is_legal(chat->text, block->name, LONGEST_NAME))
            return 0;
        for (size_t other = 0; other < chat->open_count; other++)
            if (lk_are_alike(chat->text, chat->open[other], block->id)) return 0;
        chat->open[chat->open_count++] = block->id;
    }
    return 1;
}

/* Whether an open call has this id; it is open no longer. */
static int close_call(Chat *chat, lk_span id) {
    for (size_t i = chat->answered; i < chat->open_count; i++) {
        if (!lk_are_alike(chat->text, chat->open[i], id)) continue;
        chat->open[i] = chat->open[chat->answered++];
        return 1;
    }
    return 0;
}

static void put_call(Chat *chat, const lk_block *call) {
    lk_writer *writer = &chat->writer;
    LK_PUT(writer, "{\"id\":\"");
    put_text(chat, call->id);
    LK_PUT(writer, "\",\"type\":\"function\",\"function\":{\"name\":\"");
    put_text(chat, call->name);
    LK_PUT(writer, "\",\"arguments\":\"");
    put_escaped(chat, call);
    LK_PUT(writer, "\"}}");
}

/* The message of an assistant, if it says anything that can be written. */
static int put_assistant(Chat *chat, size_t first, size_t end) {
    lk_writer *writer = &chat->writer;
    size_t calls = 0, texts = 0;
    int is_apart = 0;
    if (!open_calls(chat, first, end)) return 0;
    chat->answered = 0;
    for (size_t i = first; i < end; i++) {
        const lk_block *block = &chat->blocks[i];
        lose_mark(chat, block);
        if (block->kind == LK_RETURNED || block->kind == LK_PART) return 0;
        if (block->kind == LK_THOUGHT) lose(chat, LK_REASONING_LOST);
        if (block->kind == LK_CALLED) calls++;
        if (block->kind != LK_SAID || is_empty(block->text)) continue;
        /* Words stand before calls in a message that is written. */
        if (calls > 0) return 0;
        texts++;
    }
    if (calls == 0 && texts == 0) return 1;
    if (!begin_message(chat, ASSISTANT)) return 0;
    LK_PUT(writer, "{\"role\":\"assistant\",\"content\":");
    if (texts == 0) LK_PUT(writer, "null");
    for (size_t i = first, written = 0; written < texts; i++) {
        const lk_block *block = &chat->blocks[i];
        int is_said = block->kind == LK_SAID;
        if (is_said && !is_empty(block->text)) {
            if (written == 0) LK_PUT(writer, "\"");
            /* Neighbouring texts are one; what stood apart stays apart. */
            if (written > 0 && is_apart) LK_PUT(writer, "\\n\\n");
            put_text(chat, block->text);
            if (++written == texts) LK_PUT(writer, "\"");
        }
        is_apart = !is_said;
    }
    for (size_t i = first, written = 0; written < calls; i++) {
        if (chat->blocks[i].kind != LK_CALLED) continue;
        if (written++ == 0)
            LK_PUT(writer, ",\"tool_calls\":[");
        else
            LK_PUT(writer, ",");
        put_call(chat, &chat->blocks[i]);
    }
    if (calls > 0) LK_PUT(writer, "]");
    if (calls > 0 && chat->wishes.wants_reasoning) LK_PUT(writer, ",\"reasoning_content\":\"\"");
    LK_PUT(writer, "}");
    return 1;
}

/* A result and the parts behind it, up to `end`. */
static void put_result(Chat *chat, const lk_block *result, const lk_block *end) {
    lk_writer *writer = &chat->writer;
    int is_said = 0;
    begin_message(chat, TOOL);
    LK_PUT(writer, "{\"role\":\"tool\",\"tool_call_id\":\"");
    put_text(chat, result->id);
    LK_PUT(writer, "\",\"content\":\"");
    if (result->is_error) LK_PUT(writer, "[tool error] ");
    for (const lk_block *part = result + 1; part < end && part->kind == LK_PART; part++) {
        if (is_empty(part->text)) continue;
        if (is_said) LK_PUT(writer, "\\n");
        put_text(chat, part->text);
        is_said = 1;
    }
    if (!is_said) LK_PUT(writer, "(no output)");
    LK_PUT(writer, "\"}");
}

/* The results in messages of the user, which answer all calls and nothing else. */
static int put_results(Chat *chat, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        const lk_block *result = &chat->blocks[i];
        if (result->kind != LK_RETURNED) continue;
        if (!close_call(chat, result->id)) return 0;
        put_result(chat, result, chat->blocks + end);
    }
    return chat->answered == chat->open_count;
}

/* What a message of the user loses, in the order in which the careful writer meets it. */
static int note_losses(Chat *chat, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        const lk_block *block = &chat->blocks[i], *part = block + 1;
        if (block->kind == LK_THOUGHT || block->kind == LK_CALLED) return 0;
        if (block->kind != LK_RETURNED) continue;
        lose_mark(chat, block);
        for (; part < chat->blocks + end && part->kind == LK_PART; part++) lose_mark(chat, part);
        if (block->is_error) lose(chat, LK_ERRORS_TOLD);
    }
    for (size_t i = first; i < end; i++) {
        const lk_block *block = &chat->blocks[i];
        if (block->kind == LK_SAID && !chat->wishes.keeps_marks) lose_mark(chat, block);
    }
    return 1;
}

/* The texts of a message of the user, if there are any. */
static int put_user(Chat *chat, size_t first, size_t end) {
    lk_writer *writer = &chat->writer;
    size_t texts = 0, written = 0;
    int has_mark = 0, are_parts;
    for (size_t i = first; i < end; i++) {
        const lk_block *block = &chat->blocks[i];
        if (block->kind != LK_SAID || is_empty(block->text)) continue;
        texts++;
        has_mark |= chat->wishes.keeps_marks && !is_empty(block->mark);
    }
    if (texts == 0) return 1;
    if (!begin_message(chat, USER)) return 0;
    are_parts = texts > 1 || has_mark;
    LK_PUT(writer, "{\"role\":\"user\",\"content\":");
    for (size_t i = first; i < end; i++) {
        const lk_block *block = &chat->blocks[i];
        if (block->kind != LK_SAID || is_empty(block->text)) continue;
        if (are_parts && written == 0) LK_PUT(writer, "[");
        if (written++ > 0) LK_PUT(writer, ",");
        if (are_parts) LK_PUT(writer, "{\"type\":\"text\",\"text\":");
        LK_PUT(writer, "\"");
        put_text(chat, block->text);
        LK_PUT(writer, "\"");
        if (chat->wishes.keeps_marks && !is_empty(block->mark)) {
            LK_PUT(writer, ",\"cache_control\":");
            put_text(chat, block->mark);
        }
        if (are_parts) LK_PUT(writer, "}");
    }
    if (are_parts) LK_PUT(writer, "]");
    LK_PUT(writer, "}");
    return 1;
}

/* The blocks of a message, from `at` on: where they end. */
static size_t turn_end(const lk_blocks *blocks, size_t at, size_t turn) {
    while (at < blocks->count && blocks->blocks[at].turn == turn) at++;
    return at;
}

/* The messages of the user from `*turn` on, whose blocks begin at `*at`; goes behind them. */
static int put_others(Chat *chat, const lk_turns *found, const lk_blocks *blocks, size_t *turn,
                      size_t *at) {
    size_t first = *at, from = *turn, last = from;
    for (size_t end; last < found->turn_count; last++, *at = end) {
        unsigned char kind = found->turns[last].kind;
        if (kind == ASSISTANT) break;
        end = turn_end(blocks, *at, last);
        if ((kind != USER && kind != RESULT) || !note_losses(chat, *at, end)) return 0;
    }
    *turn = last;
    if (!put_results(chat, first, *at)) return 0;
    for (; from < last; from++) {
        size_t end = turn_end(blocks, first, from);
        if (!put_user(chat, first, end)) return 0;
        first = end;
    }
    return 1;
}

lk_written lk_write_chat(const unsigned char *text, const lk_turns *found, const lk_blocks *blocks,
                         lk_wishes wishes, unsigned char *out) {
    Chat chat = {.text = text,
                 .inputs = blocks->inputs,
                 .blocks = blocks->blocks,
                 .wishes = wishes,
                 .writer = {.out = out}};
    lk_written nothing = {0};
    size_t turn = 0, at = 0;
    while (turn < found->turn_count) {
        if (found->turns[turn].kind == ASSISTANT) {
            size_t end = turn_end(blocks, at, turn);
            if (!put_assistant(&chat, at, end)) return nothing;
            at = end;
            /* Two of an assistant are one, which is for others to say. */
            if (++turn < found->turn_count && found->turns[turn].kind == ASSISTANT) return nothing;
        }
        if (!put_others(&chat, found, blocks, &turn, &at)) return nothing;
    }
    /* A target may not go on with what an assistant said. */
    if (chat.side == 0 || chat.side == ASSISTANT) return nothing;
    chat.told.size = chat.writer.size;
    return chat.told;
}

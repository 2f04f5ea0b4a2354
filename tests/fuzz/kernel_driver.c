/* Broken lexicon tables, fold tables, texts and messages for the scan kernel, to run under
 * sanitisers.
 *
 * An input is a byte of choices, 4 bytes with the size of a table, the table, and a text. What the
 * kernel says of a table it takes is compared with one chain that is run here, byte by byte.
 * With libFuzzer: -DLIBFUZZER. Otherwise: DRIVER SECONDS ROUNDS SEED FILE..., where the files are
 * inputs to mutate; it ends with whichever of both limits comes first. */
#include "counts.h"
#include "folding.h"
#include "kernel.h"
#include "chat_turns.h"
#include "items.h"
#include "messages_write.h"
#include "outline.h"
#include "turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static long taken, refused;

static void *copy(const void *data, size_t size) {
    void *copied = malloc(size ? size : 1); /* exactly so much: a byte further is seen */
    if (!copied) abort();
    if (size) memcpy(copied, data, size);
    return copied;
}

static uint32_t next_cell(const lk_table *table, uint32_t state, unsigned char byte) {
    size_t at = (size_t)state + table->byte_class[byte];
    uint32_t cell = 0;
    memcpy(&cell, (const unsigned char *)table->cells + (size_t)at * table->width, table->width);
    return cell;
}

static void expect(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "the kernel is wrong: %s\n", what);
    abort();
}

static int64_t weight_of(uint32_t entry) { return (int64_t)entry - 7; }

static void compare(const lk_table *table, const lk_work *work, const unsigned char *text,
                    size_t size, int written, int entered) {
    uint64_t *counts = calloc((size_t)table->lexicons + 1, sizeof *counts);
    unsigned char *present = calloc((size_t)table->entries + 1, 1);
    uint32_t *distinct = calloc((size_t)table->lexicons + 1, sizeof *distinct);
    int64_t *points = calloc((size_t)table->lexicons + 1, sizeof *points);
    uint32_t state = 0;
    size_t found = 0, met = 0;
    int any = 0;
    if (!counts || !present || !distinct || !points) abort();
    for (size_t i = 0; i <= size; i++) {
        unsigned char byte = i < size ? text[i] : 0;
        if (written && i < size) byte = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte ? byte : 1;
        state = next_cell(table, state, byte);
        if (state < table->accepting) continue;
        uint32_t number = state - table->accepting;
        state = table->moves[number];
        any = 1;
        for (uint32_t at = table->lexicon_offsets[number]; at < table->lexicon_offsets[number + 1];
             at++)
            counts[table->counted[at]]++;
        for (uint32_t at = table->entry_offsets[number]; at < table->entry_offsets[number + 1];
             at++) {
            found += !present[table->accepted[at]];
            present[table->accepted[at]] = 1;
        }
    }
    expect(any == entered, "whether anything occurs");
    if (any) {
        expect(found == work->found_count, "how many entries occur");
        for (size_t i = 0; i < work->found_count; i++)
            expect(present[work->found[i]], "which entries occur");
        for (uint32_t i = 0; i < table->lexicons; i++)
            expect(work->counts[i] == (counts[i] < 255 ? counts[i] : 255), "how often");
        for (uint32_t i = 0; i < table->entries; i++) {
            distinct[table->lexicon_of[i]] += present[i];
            points[table->lexicon_of[i]] += present[i] ? weight_of(i) : 0;
        }
        for (uint32_t i = 0; i < table->lexicons; i++) {
            expect(work->distinct[i] == distinct[i] && work->points[i] == points[i], "its entries");
            met += counts[i] > 0 || distinct[i] > 0;
        }
        expect(met == work->met_count, "how many lexicons are met");
        for (size_t i = 0; i < work->met_count; i++) {
            uint32_t lexicon = work->met[i];
            expect(counts[lexicon] > 0 || distinct[lexicon] > 0, "which lexicons are met");
            counts[lexicon] = distinct[lexicon] = 0; /* each once */
        }
    }
    free(counts);
    free(present);
    free(distinct);
    free(points);
}

static void in_bounds(lk_counts counts, size_t length) {
    expect(counts.words <= length && counts.sentences <= counts.words, "how many words");
    expect(counts.longest <= length, "the longest sentence");
    expect(counts.bytes >= length && counts.bytes <= 4 * length, "how many bytes");
    expect(counts.cjk <= length && counts.bytes >= 3 * counts.cjk, "how many characters of CJK");
    expect(counts.lines <= length, "how many lines");
    expect(counts.commas + counts.periods + counts.parens + counts.quotes + counts.questions <= length,
           "how many marks");
}

/* ASCII is counted in blocks, and among others one character after the other. */
static void count(const unsigned char *text, size_t length) {
    unsigned char *plain = copy(text, length);
    uint32_t *codes = calloc(length + 1, sizeof *codes);
    if (!codes) abort();
    for (size_t i = 0; i < length; i++) codes[i] = plain[i] &= 0x7F;
    lk_counts blocks = lk_count_ascii(plain, length);
    lk_counts slowly = lk_count_codes(codes, length, NULL, NULL);
    expect(memcmp(&blocks, &slowly, sizeof slowly) == 0, "what is counted in blocks");
    in_bounds(blocks, length);
    free(plain);
    free(codes);
}

static void scan(const unsigned char *data, size_t size, const unsigned char *text, size_t length,
                 int written) {
    lk_table table;
    lk_work work;
    unsigned char *own = copy(data, size), *own_text = copy(text, length);
    count(text, length);
    if (lk_bind(&table, own, size) == NULL) {
        int64_t *weights = calloc((size_t)table.entries + 1, sizeof *weights);
        taken++;
        if (!weights || lk_work_init(&work, &table) != 0) abort();
        for (uint32_t i = 0; i < table.entries; i++) weights[i] = weight_of(i);
        for (int twice = 0; twice < 2; twice++) {
            expect(lk_scan(&table, &work, own_text, length, written) == 0, "a text is too long");
            int entered = lk_count(&table, &work, weights);
            compare(&table, &work, own_text, length, written, entered);
        }
        expect(lk_scan(&table, &work, own_text, (size_t)1 << 32, written) == -1, "a length");
        lk_work_free(&work);
        free(weights);
    } else {
        refused++;
    }
    lk_release(&table);
    free(own);
    free(own_text);
}

/* One code point after the other, 4 bytes of room for each. */
static size_t fold_slowly(const lk_folds *folds, const uint32_t *codes, size_t count,
                          unsigned char *out) {
    static const unsigned char first[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = lk_fold_code(folds, codes[i]);
        int bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        for (int k = bytes - 1; k > 0; k--, code >>= 6)
            out[size + (size_t)k] = (unsigned char)(0x80 | (code & 0x3F));
        out[size] = (unsigned char)(first[bytes] | (bytes == 4 ? code & 7 : code));
        size += (size_t)bytes;
    }
    return size;
}

static void fold(const unsigned char *data, size_t size, const unsigned char *text,
                 size_t length) {
    lk_folds folds;
    lk_encoded encoded = {{0}, {0}, NULL};
    size_t count = length / 4;
    unsigned char *own = copy(data, size);
    uint32_t *codes = copy(text, count * 4);
    /* Kinds of numbers come in runs, as they do in texts. */
    for (size_t i = 0; i < count; i++)
        if (i / 24 % 4 != 3) codes[i] &= i / 24 % 4 == 2 ? 0xFFFF : 0x7F;
    if (lk_bind_folds(&folds, own, size) == NULL && lk_encode(&encoded, &folds) == NULL) {
        taken++;
        in_bounds(lk_count_codes(codes, count, lk_fold_code, &folds), count);
        unsigned char *slowly = malloc(count * 4 + 1);
        if (!slowly) abort();
        size_t slow = fold_slowly(&folds, codes, count, slowly);
        expect(lk_fold(&folds, &encoded, codes, count) == slow, "the size of folded text");
        expect(slow == 0 || memcmp(codes, slowly, slow) == 0, "folded text");
        free(slowly);
    } else {
        refused++;
    }
    lk_release_encoded(&encoded);
    free(own);
    free(codes);
}

static void part_of(size_t begin, size_t end, const lk_turn *turn, const char *what) {
    expect(turn->begin < begin && begin < end && end < turn->end, what);
}

/* What is known of users' words leads nowhere outside. */
static void tell_own(const unsigned char *text, const lk_turns *turns) {
    static const unsigned char prefixes[] = "\1\0\0\0a\3\0\0\0\\u0\3\0\0\0\xe4\xb8\xad\xff\0\0";
    unsigned char *kinds = malloc(turns->turn_count);
    if (!kinds) abort();
    lk_tell_own(text, turns, prefixes, sizeof prefixes - 1, kinds);
    for (size_t i = 0; i < turns->turn_count; i++) {
        const lk_said *said = &turns->turns[i].said;
        expect(kinds[i] == turns->turns[i].kind || turns->turns[i].kind == 'u', "whose words");
        if (kinds[i] != 'w') continue;
        part_of(said->begin, said->end, &turns->turns[i], "a text");
        expect(said->begin < said->words && said->words < said->end - 1, "where words begin");
        expect(text[said->begin] == '"' && text[said->end - 1] == '"', "what a text is");
    }
    free(kinds);
}

/* What is written for Chat is read again as such, with as many calls and answers. */
static void write_chat(const unsigned char *own, const lk_turns *turns, const lk_blocks *blocks,
                       lk_wishes wishes) {
    lk_chat again;
    lk_written told = lk_write_chat(own, turns, blocks, wishes, NULL);
    if (told.size > 0) {
        unsigned char *out = malloc(told.size + 2);
        if (!out) abort();
        out[0] = '[';
        out[told.size + 1] = ']';
        lk_written same = lk_write_chat(own, turns, blocks, wishes, out + 1);
        expect(same.size == told.size && same.count == told.count, "the size of what is written");
        expect(out[1] == '{' && out[told.size] == '}', "what is written");
        if (!wishes.keeps_marks) {
            expect(lk_read_chat(out, 0, told.size + 2, &again) == 1, "Chat that is read again");
            expect(again.turns.end == told.size + 2, "where Chat ends");
            expect(again.turns.call_count == turns->call_count, "calls for Chat");
            expect(again.turns.result_count == turns->result_count, "answers for Chat");
            lk_release_chat(&again);
        }
        free(out);
    }
}

static void write_chats(const unsigned char *own, const lk_turns *turns, const lk_blocks *blocks) {
    for (int i = 0; i < 8; i++)
        write_chat(own, turns, blocks,
                   (lk_wishes){.keeps_marks = i & 1,
                               .takes_neighbours = i & 2,
                               .wants_reasoning = i & 4});
}

static void read_turns(const unsigned char *text, size_t length) {
    lk_turns turns;
    unsigned char *own = copy(text, length);
    size_t before = 0;
    if (lk_read_turns(own, 0, length, &turns) == 1) {
        taken++;
        expect(turns.turn_count > 0 && turns.end <= length && own[turns.end - 1] == ']', "the end");
        for (size_t i = 0; i < turns.turn_count; i++) {
            const lk_turn *turn = &turns.turns[i];
            expect(before < turn->begin && turn->end < turns.end, "where a message is");
            expect(own[turn->begin] == '{' && own[turn->end - 1] == '}', "what a message is");
            before = turn->end - 1;
        }
        for (size_t i = 0; i < turns.result_count; i++)
            expect(turns.results[i].turn < turns.turn_count, "where a result is");
        for (size_t i = 0; i < turns.text_count; i++) {
            const lk_text *said = &turns.texts[i];
            expect(said->turn < turns.turn_count && said->begin < said->end, "where a text is");
            expect(i == 0 || said->turn >= turns.texts[i - 1].turn, "texts in order");
            part_of(said->begin - 1, said->end + 1, &turns.turns[said->turn], "a text");
        }
        for (size_t i = 0; i < turns.call_count; i++) {
            const lk_call *call = &turns.calls[i];
            expect(call->turn < turns.turn_count, "where a call is");
            part_of(call->name, call->name_end, &turns.turns[call->turn], "a name");
            part_of(call->input, call->input_end, &turns.turns[call->turn], "an input");
        }
        /* A token for at most every byte, and for no more than the weight of a few. */
        expect(turns.tokens <= length, "how many tokens");
        expect(lk_may_repeat(&turns, turns.turn_count) == 0, "calls behind the last message");
        expect(turns.call_count > 1 || lk_may_repeat(&turns, 0) == 0, "one call");
        tell_own(own, &turns);
        lk_blocks blocks;
        expect(lk_read_blocks(own, &turns, &blocks) == 1, "blocks of what was read");
        write_chats(own, &turns, &blocks);
        lk_release_blocks(&blocks);
    } else {
        refused++;
    }
    lk_release_turns(&turns);
    free(own);
}

static void read_chat(const unsigned char *text, size_t length, int are_items) {
    lk_chat chat;
    unsigned char *own = copy(text, length);
    size_t before = 0;
    if ((are_items ? lk_read_items : lk_read_chat)(own, 0, length, &chat) == 1) {
        const lk_turns *turns = &chat.turns;
        taken++;
        expect(turns->turn_count > 0 && turns->end <= length, "the end");
        expect(chat.system_end <= turns->turns[0].begin, "the instructions");
        for (size_t i = 0; i < turns->turn_count; i++) {
            const lk_turn *turn = &turns->turns[i];
            expect(before < turn->begin && turn->end < turns->end, "where a message is");
            expect(own[turn->begin] == '{' && own[turn->end - 1] == '}', "what a message is");
            before = turn->end - 1;
        }
        for (size_t i = 0; i < turns->call_count; i++) {
            const lk_call *call = &turns->calls[i];
            part_of(call->name, call->name_end, &turns->turns[call->turn], "a name");
            part_of(call->input, call->input_end, &turns->turns[call->turn], "an input");
        }
        for (size_t i = 0; i < chat.piece_count; i++) {
            const lk_piece *piece = &chat.pieces[i];
            expect(piece->turn < turns->turn_count, "where a piece is");
            expect(i == 0 || piece->turn >= chat.pieces[i - 1].turn, "pieces in order");
            if (piece->kind == LK_TEXT)
                part_of(piece->text.begin - 1, piece->text.end + 1, &turns->turns[piece->turn],
                        "a text");
        }
        expect(turns->tokens <= length, "how many tokens");
        tell_own(own, turns);
        lk_blocks blocks;
        expect(lk_take_pieces(&chat, &blocks) == chat.is_plain, "blocks of pieces");
        if (chat.is_plain) write_chats(own, turns, &blocks);
        lk_release_blocks(&blocks);
        size_t size = lk_write_messages(own, &chat, NULL);
        if (size > 0) {
            unsigned char *out = malloc(size);
            if (!out) abort();
            expect(lk_write_messages(own, &chat, out) == size, "the size of what is written");
            expect(out[0] == '[' && out[size - 1] == ']', "what is written");
            /* Calls may be of a kind that not all readers take, and what is no UTF-8 is nothing. */
            lk_turns again;
            if (lk_read_turns(out, 0, size, &again) == 1)
                expect(again.end == size && again.result_count == turns->result_count, "answers");
            else
                expect(0, "messages that are read again");
            lk_release_turns(&again);
            free(out);
        }
    } else {
        refused++;
    }
    lk_release_chat(&chat);
    free(own);
}

/* The outline and what it leaves out are the body; tools that are known are found where they are. */
static void read_outline(const unsigned char *text, size_t length, int knows_tools) {
    static const unsigned char known[] = "[{\"name\":\"look\"}]";
    lk_outline found;
    lk_turns turns;
    unsigned char *own = copy(text, length), *tools = copy(known, sizeof known - 1), *out;
    size_t size = 0;
    memset(&found, 0, sizeof found);
    found.json = (lk_json){.text = own, .end = length};
    found.tools = tools;
    found.tools_size = knows_tools ? sizeof known - 1 : 0;
    if (lk_walk_outline(&found) == 1) {
        size_t begin = found.json.at;
        expect(begin > 0 && begin <= length && begin == found.values[LK_MESSAGES].begin, "a value");
        if (lk_read_turns(own, begin, length, &turns) == 1) {
            found.values[LK_MESSAGES].end = found.json.at = turns.end;
            if (lk_walk_outline(&found) == 0) {
                taken++;
                for (int i = 0; i < LK_APART; i++) {
                    const lk_value *value = &found.values[i];
                    expect(value->begin <= value->end && value->end < length, "a value");
                    expect((value->begin == 0) == (value->end == 0), "a value that is not there");
                    size += value->end - value->begin;
                }
                out = malloc(length);
                if (!out) abort();
                expect(lk_write_outline(&found, NULL) == length - size, "the size of an outline");
                expect(lk_write_outline(&found, out) == length - size, "an outline");
                expect(out[0] == own[0] && out[length - size - 1] == own[length - 1], "its ends");
                free(out);
            }
        }
        lk_release_turns(&turns);
    } else {
        refused++;
    }
    free(tools);
    free(own);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    uint32_t table;
    if (size < 5) return 0;
    memcpy(&table, data + 1, 4);
    if (table > size - 5) table = (uint32_t)(size - 5);
    const unsigned char *text = data + 5 + table;
    size_t length = size - 5 - table;
    if (data[0] & 4 && data[0] & 8)
        read_chat(text, length, 1);
    else if (data[0] & 4 && data[0] & 2)
        read_outline(text, length, data[0] & 1);
    else if (data[0] & 4)
        data[0] & 1 ? read_chat(text, length, 0) : read_turns(text, length);
    else if (data[0] & 2)
        fold(data + 5, table, text, length);
    else
        scan(data + 5, table, text, length, data[0] & 1);
    return 0;
}

#ifndef LIBFUZZER
static uint64_t random_state;

static uint32_t chance(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 20) % below);
}

/* Messages stay nearly whole: else none would be read far. */
static void damage(unsigned char *input, size_t *size) {
    static const char bytes[] = "\"\\{}[],: 01-.eu\x1f\x80\xe4\xff";
    for (uint32_t times = chance(4); times && *size > 8; times--) {
        size_t at = 5 + chance((uint32_t)*size - 5), count = chance(3);
        if (count == 0) {
            input[at] = (unsigned char)bytes[chance(sizeof bytes - 1)];
        } else if (count == 1) {
            memmove(input + at, input + at + 1, *size - at - 1);
            --*size;
        } else {
            *size = at;
        }
    }
}

static void mutate(unsigned char *input, size_t *size, size_t room) {
    uint32_t table, times = chance(4);
    memcpy(&table, input + 1, 4);
    /* A text of any length, often around an edge; of few bytes, so that patterns occur. */
    size_t start = 5 + table, length = chance(3) ? chance(300) : chance(3000);
    if (start > *size || start + length > room) start = *size;
    if (start + length > room) length = room - start;
    unsigned char low = (unsigned char)chance(256);
    uint32_t range = 1 + chance(chance(2) ? 3 : 256);
    for (size_t i = 0; i < length; i++) input[start + i] = (unsigned char)(low + chance(range));
    *size = start + length;
    while (times--) {
        size_t at = chance(2) ? 5 + chance(40) : 5 + chance(table + 1);
        if (at >= *size) continue;
        switch (chance(4)) {
        case 0: input[at] ^= (unsigned char)(1u << chance(8)); break;
        case 1: input[at] = (unsigned char)chance(256); break;
        case 2: input[at] = input[5 + chance(table + 1)]; break;
        default: memset(input + at, chance(2) ? 255 : 0, *size - at < 4 ? *size - at : 4);
        }
    }
    if (chance(8) == 0) {
        table -= chance(2) ? chance(table + 1) : table < 4 ? 0 : 4;
        memcpy(input + 1, &table, 4);
    }
    if (chance(4) == 0) input[0] ^= 1;
}

int main(int count, char **words) {
    if (count < 5) return 2;
    time_t end = time(NULL) + atol(words[1]);
    long rounds = atol(words[2]), round;
    random_state = 88172645463325252u + (uint64_t)atol(words[3]);
    for (round = 0; round < rounds && time(NULL) < end; round++) {
        FILE *file = fopen(words[4 + round % (count - 4)], "rb");
        size_t room = 1 << 20, size;
        unsigned char *input = calloc(1, room);
        if (!file || !input) return 2;
        size = fread(input, 1, room / 2, file);
        fclose(file);
        if (size >= 5 && round >= count - 4) {
            if (input[0] & 4)
                damage(input, &size);
            else
                mutate(input, &size, room);
        }
        LLVMFuzzerTestOneInput(input, size);
        free(input);
    }
    printf("%ld inputs, %ld tables taken, %ld refused\n", round, taken, refused);
    return 0;
}
#endif

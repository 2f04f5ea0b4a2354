# JSON bodies of requests: their outlines and their messages; see _kernel.pyi.


cdef class Turns:
    """Messages in JSON text; see _kernel.pyi."""

    cdef lk_chat chat
    cdef lk_turns *found
    cdef bytes body
    cdef bint has_pieces
    cdef readonly Py_ssize_t begin, end, first, system_end
    cdef readonly object tokens, has_reasoning, is_ascii, kinds, results, errors

    def __cinit__(self, bytes body not None, Py_ssize_t begin, bint is_chat=False,
                  bint are_items=False):
        cdef const unsigned char *text = <const unsigned char *>PyBytes_AsString(body)
        cdef size_t size = <size_t>PyBytes_Size(body), i
        cdef int done
        self.found = &self.chat.turns
        self.body = body
        self.begin = begin
        if begin < 0:
            raise ValueError("a list cannot begin before the body")
        if size < <size_t>LONG:
            done = self.read(text, size, is_chat, are_items)
        else:
            with nogil:
                done = self.read(text, size, is_chat, are_items)
        if done < 0:
            raise MemoryError
        if done == 0:
            raise ValueError("not read here")
        self.end = <Py_ssize_t>self.found.end
        self.first = <Py_ssize_t>self.found.turns[0].begin
        self.system_end = <Py_ssize_t>self.chat.system_end
        self.tokens = self.found.tokens
        self.has_reasoning = self.found.has_reasoning != 0
        self.is_ascii = self.found.is_ascii != 0
        self.kinds = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>self.found.turn_count)
        cdef char *kinds = PyBytes_AsString(self.kinds)
        for i in range(self.found.turn_count):
            kinds[i] = <char>self.found.turns[i].kind
        self.results = [self.found.results[i].turn for i in range(self.found.result_count)]
        self.errors = [
            self.found.results[i].turn
            for i in range(self.found.result_count)
            if self.found.results[i].is_error
        ]

    def __dealloc__(self):
        lk_release_chat(&self.chat)

    cdef int read(self, const unsigned char *text, size_t size, bint is_chat,
                  bint are_items) noexcept nogil:
        self.has_pieces = is_chat or are_items
        if are_items:
            return lk_read_items(text, <size_t>self.begin, size, &self.chat)
        if is_chat:
            return lk_read_chat(text, <size_t>self.begin, size, &self.chat)
        return lk_read_turns(text, <size_t>self.begin, size, &self.chat.turns)

    def messages(self, check):
        cdef const unsigned char *text = <const unsigned char *>PyBytes_AsString(self.body)
        cdef lk_piece *piece
        cdef size_t i, size
        if self.chat.piece_count == 0:
            return None
        size = lk_write_messages(text, &self.chat, NULL)
        if size == 0:
            return None
        for i in range(self.chat.piece_count):
            piece = &self.chat.pieces[i]
            if piece.is_odd and piece.input.begin < piece.input.end:
                if not check(
                    PyBytes_FromStringAndSize(
                        <char *>self.chat.inputs + piece.input.begin,
                        <Py_ssize_t>(piece.input.end - piece.input.begin),
                    )
                ):
                    return None
        written = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>size)
        lk_write_messages(text, &self.chat, <unsigned char *>PyBytes_AsString(written))
        return written

    def for_chat(self, bytes head not None, bint keeps_marks, bint takes_neighbours,
                 bint wants_reasoning):
        cdef const unsigned char *text = <const unsigned char *>PyBytes_AsString(self.body)
        cdef lk_wishes wishes = lk_wishes(keeps_marks, takes_neighbours, wants_reasoning)
        cdef Py_ssize_t before = PyBytes_Size(head), size
        cdef lk_blocks blocks
        cdef lk_written told
        cdef char *out
        cdef int done
        if self.has_pieces:
            done = lk_take_pieces(&self.chat, &blocks)
        else:
            done = lk_read_blocks(text, self.found, &blocks)
        try:
            if done < 0:
                raise MemoryError
            if done == 0:
                return None
            told = lk_write_chat(text, self.found, &blocks, wishes, NULL)
            if told.size == 0:
                return None
            size = before + <Py_ssize_t>told.size
            written = PyBytes_FromStringAndSize(NULL, size + 1)
            out = PyBytes_AsString(written)
            memcpy(out, PyBytes_AsString(head), <size_t>before)
            lk_write_chat(text, self.found, &blocks, wishes, <unsigned char *>out + before)
            out[size] = b"]"
            return written, PyBytes_FromStringAndSize(told.losses, <Py_ssize_t>told.count)
        finally:
            lk_release_blocks(&blocks)

    cdef bytes part(self, size_t begin, size_t end):
        return PyBytes_FromStringAndSize(PyBytes_AsString(self.body) + begin, <Py_ssize_t>(end - begin))

    def turn(self, Py_ssize_t index):
        if not 0 <= index < <Py_ssize_t>self.found.turn_count:
            raise IndexError(index)
        return self.part(self.found.turns[index].begin, self.found.turns[index].end)

    def own(self, bytes prefixes not None):
        own = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>self.found.turn_count)
        lk_tell_own(
            <const unsigned char *>PyBytes_AsString(self.body), self.found,
            <const unsigned char *>PyBytes_AsString(prefixes), <size_t>PyBytes_Size(prefixes),
            <unsigned char *>PyBytes_AsString(own),
        )
        return own

    def words(self, decode, Py_ssize_t index):
        if not 0 <= index < <Py_ssize_t>self.found.turn_count:
            raise IndexError(index)
        cdef lk_said *said = &self.found.turns[index].said
        if said.texts != 1 or said.own != LK_WORDS:
            return None
        return self.unquoted(decode, said.begin + 1, said.end - 1)

    cdef object unquoted(self, object decode, size_t begin, size_t end):
        # What stands between two quotes.
        cdef const char *text = PyBytes_AsString(self.body) + begin
        cdef Py_ssize_t size = <Py_ssize_t>(end - begin)
        if memchr(text, b"\\", <size_t>size) != NULL:
            return decode(PyBytes_FromStringAndSize(text - 1, size + 2))
        return PyUnicode_DecodeUTF8(text, size, NULL)

    def told(self, bytes own not None, Py_ssize_t first, Py_ssize_t last, decode):
        cdef Py_ssize_t turns = <Py_ssize_t>self.found.turn_count, turn
        cdef const char *kinds = PyBytes_AsString(own)
        cdef list told = []
        cdef size_t place = 0
        cdef lk_text text
        if self.chat.has_refusal or PyBytes_Size(own) != turns:
            return None
        for turn in range(turns):
            if kinds[turn] == b"a":
                while self.next_text(&place, <size_t>turn, &text):
                    told.append(self.unquoted(decode, text.begin, text.end))
            elif (kinds[turn] == b"w" or kinds[turn] == b"u") and not first <= turn <= last:
                words = self.words(decode, turn) if kinds[turn] == b"w" else None
                told.append(turn if words is None else words.strip())
        return told

    cdef bint next_text(self, size_t *place, size_t turn, lk_text *text) noexcept:
        # The next text of a message that is not empty, from a place on; the messages before are done.
        cdef size_t count = self.chat.piece_count if self.has_pieces else self.found.text_count
        cdef lk_piece *piece
        while place[0] < count:
            if self.has_pieces:
                piece = &self.chat.pieces[place[0]]
                text[0] = lk_text(piece.turn, piece.text.begin, piece.text.end)
                if piece.kind != LK_TEXT:
                    text.end = text.begin
            else:
                text[0] = self.found.texts[place[0]]
            if text.turn > turn:
                return False
            place[0] += 1
            if text.turn == turn and text.begin != text.end:
                return True
        return False

    def doubtful(self, Py_ssize_t first):
        cdef size_t i
        cdef set seen = set()
        cdef set twice = set()
        cdef lk_call *call
        cdef bint is_odd = False
        cdef int may_repeat = lk_may_repeat(self.found, <size_t>max(first, 0))
        if may_repeat < 0:
            raise MemoryError
        if may_repeat == 0:
            return []
        for i in range(self.found.call_count):
            call = &self.found.calls[i]
            if <Py_ssize_t>call.turn < first:
                continue
            is_odd |= call.is_odd != 0
            key = call.key
            if key in seen:
                twice.add(key)
            else:
                seen.add(key)
        if not is_odd and not twice:
            return []
        doubtful = []
        for i in range(self.found.call_count):
            call = &self.found.calls[i]
            if <Py_ssize_t>call.turn >= first and (is_odd or call.key in twice):
                doubtful.append(
                    (self.part(call.name, call.name_end), self.part(call.input, call.input_end))
                )
        return doubtful


cdef bytes value_in(const lk_outline *found, unsigned int place):
    cdef const lk_value *value = &found.values[place]
    if value.end == 0:
        return None
    return PyBytes_FromStringAndSize(
        <const char *>found.json.text + value.begin, <Py_ssize_t>(value.end - value.begin)
    )


def outlined(bytes body not None, bint is_chat=False, bytes tools not None=b""):
    cdef lk_outline found
    cdef Turns turns
    memset(&found, 0, sizeof(lk_outline))
    found.json.text = <const unsigned char *>PyBytes_AsString(body)
    found.json.end = <size_t>PyBytes_Size(body)
    found.tools = <const unsigned char *>PyBytes_AsString(tools)
    found.tools_size = <size_t>PyBytes_Size(tools)
    if lk_walk_outline(&found) != 1:
        raise ValueError("not read here")
    turns = Turns(body, <Py_ssize_t>found.json.at, is_chat)
    found.values[<int>LK_MESSAGES].end = found.json.at = <size_t>turns.end
    if lk_walk_outline(&found) != 0:
        raise ValueError("not read here")
    outline = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>lk_write_outline(&found, NULL))
    lk_write_outline(&found, <unsigned char *>PyBytes_AsString(outline))
    return (
        turns,
        outline,
        <Py_ssize_t>found.count,
        value_in(&found, LK_SYSTEM),
        tools if found.has_tools else value_in(&found, LK_TOOLS),
        found.json.has_wide == 0 and turns.found.is_ascii != 0,
    )

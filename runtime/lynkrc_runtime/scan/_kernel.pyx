# cython: language_level=3
# cython: binding=False, always_allow_keywords=False, auto_pickle=False
"""Texts to what of lexicon tables occurs in them, and to how many words they have; the JSON text of messages to what they hold: Python's hold on the C files beside.

Texts of `LONG` characters and more are scanned without the interpreter's lock.
"""

from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize, PyBytes_Size
from cpython.ref cimport PyObject
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset


cdef extern from *:
    unsigned int LK_SOURCES  # given on the command line

SOURCES = LK_SOURCES


cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    Py_ssize_t PyUnicode_GetLength(object text) except -1
    uint32_t *PyUnicode_AsUCS4(
        object text, uint32_t *buffer, Py_ssize_t room, int copy_null
    ) except NULL
    uint32_t *PyUnicode_AsUCS4Copy(object text) except NULL
    object PyUnicode_DecodeUTF8(const char *text, Py_ssize_t size, const char *errors)
    void PyMem_Free(void *memory)
    int PyDict_Next(object table, Py_ssize_t *place, PyObject **key, PyObject **value)
    object PyTuple_GetSlice(object numbers, Py_ssize_t low, Py_ssize_t high)
    ctypedef object (*PyCFunction)(object bound_to, PyObject *nothing)
    PyCFunction PyCFunction_GetFunction(object method) except NULL
    int PyTuple_SetItem(PyObject *numbers, Py_ssize_t place, PyObject *number) except -1
    PyObject *PyLong_FromLongLong(long long number) except NULL


cdef extern from "kernel.h":
    size_t LK_MAX_TEXT
    ctypedef struct lk_table:
        uint32_t entries
        uint32_t lexicons
    ctypedef struct lk_work:
        uint32_t *found
        uint32_t *counts
        uint32_t *distinct
        int64_t *points
        size_t found_count
    const char *lk_bind(lk_table *table, const unsigned char *data, size_t size)
    void lk_release(lk_table *table)
    int lk_work_init(lk_work *work, const lk_table *table)
    void lk_work_free(lk_work *work)
    int lk_scan(const lk_table *table, lk_work *work, const unsigned char *text, size_t length,
                int written) nogil
    int lk_count(const lk_table *table, lk_work *work, const int64_t *weights) nogil


cdef extern from "folding.h":
    ctypedef struct lk_folds:
        pass
    ctypedef struct lk_encoded:
        uint32_t *each
    const char *lk_bind_folds(lk_folds *folds, const unsigned char *data, size_t size)
    const char *lk_encode(lk_encoded *encoded, const lk_folds *folds)
    void lk_release_encoded(lk_encoded *encoded)
    size_t lk_fold(const lk_folds *folds, const lk_encoded *encoded, uint32_t *codes,
                   size_t count) nogil
    uint32_t lk_fold_code(const void *folds, uint32_t code) noexcept nogil


cdef extern from "counts.h":
    ctypedef uint32_t (*lk_fold_one)(const void *folds, uint32_t code) noexcept nogil
    ctypedef struct lk_counts:
        size_t words
        size_t sentences
        size_t longest
    lk_counts lk_count_ascii(const unsigned char *text, size_t length) nogil
    lk_counts lk_count_codes(const uint32_t *codes, size_t length, lk_fold_one fold,
                             const void *folds) nogil


cdef extern from "own_words.h":
    ctypedef enum lk_own:
        LK_NOTHING
        LK_LOOK
        LK_WORDS
    ctypedef struct lk_said:
        lk_own own
        size_t texts
        size_t begin
        size_t end
        size_t words


cdef extern from "turns.h":
    ctypedef struct lk_turn:
        size_t begin
        size_t end
        unsigned char kind
        lk_said said
    ctypedef struct lk_result:
        size_t turn
        int is_error
    ctypedef struct lk_call:
        size_t turn
        size_t name
        size_t name_end
        size_t input
        size_t input_end
        uint64_t key
        int is_odd
    ctypedef struct lk_turns:
        lk_turn *turns
        lk_result *results
        lk_call *calls
        size_t turn_count
        size_t result_count
        size_t call_count
        size_t end
        uint64_t tokens
        int has_reasoning
        int is_ascii
    int lk_may_repeat(const lk_turns *found, size_t first)
    void lk_tell_own(const unsigned char *text, const lk_turns *found,
                     const unsigned char *prefixes, size_t size, unsigned char *kinds)
    int lk_read_turns(const unsigned char *text, size_t begin, size_t size,
                      lk_turns *found) nogil


cdef extern from "chat_turns.h":
    ctypedef struct lk_span:
        size_t begin
        size_t end
    ctypedef struct lk_piece:
        int is_odd
        lk_span input
    ctypedef struct lk_chat:
        lk_turns turns
        lk_piece *pieces
        unsigned char *inputs
        size_t piece_count
        size_t system_end
    int lk_read_chat(const unsigned char *text, size_t begin, size_t size, lk_chat *found) nogil
    size_t lk_write_messages(const unsigned char *text, const lk_chat *found, unsigned char *out)
    void lk_release_chat(lk_chat *found)


cdef extern from "outline.h":
    enum:
        LK_MESSAGES
        LK_SYSTEM
        LK_TOOLS
    ctypedef struct lk_json:
        const unsigned char *text
        size_t at
        size_t end
        int has_wide
    ctypedef struct lk_value:
        size_t begin
        size_t end
    ctypedef struct lk_outline:
        lk_json json
        size_t count
        lk_value values[3]
        const unsigned char *tools
        size_t tools_size
        int has_tools
    int lk_walk_outline(lk_outline *found)
    size_t lk_write_outline(const lk_outline *found, unsigned char *out)


cdef extern from "items.h":
    int lk_read_items(const unsigned char *text, size_t begin, size_t size, lk_chat *found) nogil


cdef extern from "messages_write.h":
    ctypedef struct lk_blocks:
        pass
    ctypedef struct lk_wishes:
        int keeps_marks
        int takes_neighbours
        int wants_reasoning
    ctypedef struct lk_written:
        size_t size
        size_t count
        char *losses
    int lk_take_pieces(const lk_chat *found, lk_blocks *blocks)
    int lk_read_blocks(const unsigned char *text, const lk_turns *found, lk_blocks *blocks)
    lk_written lk_write_chat(const unsigned char *text, const lk_turns *found,
                             const lk_blocks *blocks, lk_wishes wishes, unsigned char *out)
    void lk_release_blocks(lk_blocks *blocks)


def lines_of(bytes before not None, dict fields not None, bytes behind not None):
    cdef PyObject *name
    cdef PyObject *value
    cdef const char *text
    cdef char *at
    cdef unsigned char byte
    cdef Py_ssize_t i, size
    cdef Py_ssize_t place = 0
    cdef Py_ssize_t total = PyBytes_Size(before) + PyBytes_Size(behind)
    while PyDict_Next(fields, &place, &name, &value):
        PyUnicode_AsUTF8AndSize(<object>name, &size)
        total += size + 4
        text = PyUnicode_AsUTF8AndSize(<object>value, &size)
        total += size
        for i in range(size):
            byte = <unsigned char>text[i]
            if byte < 32 and byte != 9 or byte == 127:
                return None
    written = PyBytes_FromStringAndSize(NULL, total)
    at = PyBytes_AsString(written)
    size = PyBytes_Size(before)
    memcpy(at, PyBytes_AsString(before), <size_t>size)
    at += size
    place = 0
    while PyDict_Next(fields, &place, &name, &value):
        text = PyUnicode_AsUTF8AndSize(<object>name, &size)
        memcpy(at, text, <size_t>size)
        memcpy(at + size, b": ", 2)
        at += size + 2
        text = PyUnicode_AsUTF8AndSize(<object>value, &size)
        memcpy(at, text, <size_t>size)
        memcpy(at + size, b"\r\n", 2)
        at += size + 2
    memcpy(at, PyBytes_AsString(behind), <size_t>PyBytes_Size(behind))
    return written


# What `text.isascii()` calls in the end: the stable interface has no shorter way to it.
cdef PyCFunction is_ascii = PyCFunction_GetFunction("".isascii)


cdef struct Room:
    # What one scan at a time writes to.
    lk_work work
    uint32_t *codes
    Py_ssize_t size
    int entered  # whether anything occurs


cdef Py_ssize_t LONG = 65_536
cdef Py_ssize_t KEPT = 262_144  # code points a room may hold on to between scans


cdef void free_room(Room *room) noexcept:
    if room != NULL:
        lk_work_free(&room.work)
        free(room.codes)
        free(room)


cdef inline int put(object numbers, Py_ssize_t place, int64_t number) except -1:
    return PyTuple_SetItem(<PyObject *>numbers, place, PyLong_FromLongLong(number))


cdef class Kernel:
    """Runs the automaton of a lexicon table over texts; see _kernel.pyi."""

    cdef lk_table table
    cdef lk_folds folds
    cdef lk_encoded encoded  # made when the first text needs it
    cdef bytes data
    cdef bytes fold_data
    cdef tuple zeros  # one more than there are lexicons: a part of it is always new
    cdef tuple nothing
    cdef int64_t *weights
    cdef Room *spare

    def __cinit__(self, bytes data not None, object weights not None, bytes folds not None):
        cdef const char *wrong = lk_bind(
            &self.table, <const unsigned char *>PyBytes_AsString(data), PyBytes_Size(data)
        )
        if wrong == NULL:
            wrong = lk_bind_folds(
                &self.folds, <const unsigned char *>PyBytes_AsString(folds), PyBytes_Size(folds)
            )
        if wrong != NULL:
            raise ValueError(wrong.decode("ascii"))
        self.data = data
        self.fold_data = folds
        cdef Py_ssize_t number = 0
        cdef tuple fixed = tuple(weights)  # as many as counted here, whatever `weights` is
        if len(fixed) != self.table.entries:
            raise ValueError(f"{self.table.entries} entries in the tables, {len(fixed)} weights")
        self.weights = <int64_t *>calloc(<size_t>self.table.entries + 1, sizeof(int64_t))
        if self.weights == NULL:
            raise MemoryError
        if sum([abs(weight) for weight in fixed]) >> 63:
            raise ValueError("the weights sum up to more than 63 bits hold")
        for weight in fixed:
            self.weights[number] = weight
            number += 1
        self.zeros = (0,) * (<Py_ssize_t>self.table.lexicons + 1)
        self.nothing = (0,) * <Py_ssize_t>self.table.lexicons
        self.spare = self.new_room()

    def __dealloc__(self):
        free_room(self.spare)
        free(self.weights)
        lk_release_encoded(&self.encoded)
        lk_release(&self.table)

    cdef Room *new_room(self) except NULL:
        cdef Room *room = <Room *>calloc(1, sizeof(Room))
        if room == NULL or lk_work_init(&room.work, &self.table) != 0:
            free_room(room)
            raise MemoryError
        return room

    cdef void keep(self, Room *room) noexcept:
        # Another thread may have left one here meanwhile.
        if self.spare != NULL:
            free_room(room)
            return
        if room.size > KEPT:
            free(room.codes)
            room.codes = NULL
            room.size = 0
        self.spare = room

    cdef Room *run(self, str text) except NULL:
        # A room whose work holds what occurs in the text: give it back to `keep`.
        cdef const unsigned char *written = NULL
        cdef uint32_t *codes = NULL
        cdef Py_ssize_t length = PyUnicode_GetLength(text)
        cdef int ascii = is_ascii(text, NULL) is True
        cdef int status
        if <size_t>length > LK_MAX_TEXT:
            raise ValueError(f"a text of {length} characters is too long to be scanned")
        if not ascii and self.encoded.each == NULL:
            self.encode()
        cdef Room *room = self.spare
        if room == NULL:
            room = self.new_room()
        self.spare = NULL
        try:
            if ascii:
                written = <const unsigned char *>PyUnicode_AsUTF8AndSize(text, &length)
            else:
                if room.size < length:
                    free(room.codes)
                    room.size = 0
                    room.codes = <uint32_t *>malloc(<size_t>length * 4)
                    if room.codes == NULL:
                        raise MemoryError
                    room.size = length
                codes = PyUnicode_AsUCS4(text, room.codes, length, 0)
        except:
            self.keep(room)
            raise
        if length < LONG:
            status = self.scan_text(room, written, codes, length)
        else:
            with nogil:
                status = self.scan_text(room, written, codes, length)
        room.entered = status
        if status < 0:
            self.keep(room)
            raise ValueError(f"a text of {length} characters is too long to be scanned")
        return room

    cdef int encode(self) except -1:
        cdef const char *wrong = lk_encode(&self.encoded, &self.folds)
        if wrong != NULL:
            lk_release_encoded(&self.encoded)
            raise ValueError(wrong.decode("ascii"))

    cdef int scan_text(self, Room *room, const unsigned char *written, uint32_t *codes,
                       Py_ssize_t length) noexcept nogil:
        cdef size_t size
        if written != NULL:
            size = <size_t>length
            if lk_scan(&self.table, &room.work, written, size, 1) != 0:
                return -1
        else:
            size = lk_fold(&self.folds, &self.encoded, codes, <size_t>length)
            if lk_scan(&self.table, &room.work, <const unsigned char *>codes, size, 0) != 0:
                return -1
        return lk_count(&self.table, &room.work, self.weights)

    def scan(self, str text not None):
        cdef Room *room = self.run(text)
        cdef Py_ssize_t lexicons = self.table.lexicons, i
        cdef lk_work *work = &room.work
        try:
            if room.entered == 0:
                return None
            # Most lexicons do not occur: a tuple is born with zeros, and few are replaced. Often
            # it would be the same as another one: each entry occurs once, or none has a weight.
            counts = PyTuple_GetSlice(self.zeros, 0, lexicons)
            points = None
            for i in range(lexicons):
                if work.counts[i] != 0:
                    put(counts, i, work.counts[i])
            if memcmp(work.counts, work.distinct, <size_t>lexicons * sizeof(uint32_t)) == 0:
                distinct = counts
            else:
                distinct = PyTuple_GetSlice(self.zeros, 0, lexicons)
                for i in range(lexicons):
                    if work.distinct[i] != 0:
                        put(distinct, i, work.distinct[i])
            for i in range(lexicons):
                if work.points[i] != 0:
                    if points is None:
                        points = PyTuple_GetSlice(self.zeros, 0, lexicons)
                    put(points, i, work.points[i])
            if points is None:
                points = self.nothing
            return counts, distinct, points
        finally:
            self.keep(room)

    def present(self, str text not None):
        cdef Room *room = self.run(text)
        cdef size_t i
        try:
            return frozenset([room.work.found[i] for i in range(room.work.found_count)])
        finally:
            self.keep(room)


cdef class Counter:
    """Counts words and sentences; see _kernel.pyi."""

    cdef lk_folds folds
    cdef bytes data

    def __cinit__(self, bytes folds not None):
        cdef const char *wrong = lk_bind_folds(
            &self.folds, <const unsigned char *>PyBytes_AsString(folds), PyBytes_Size(folds)
        )
        if wrong != NULL:
            raise ValueError(wrong.decode("ascii"))
        self.data = folds

    def count(self, str text not None):
        cdef Py_ssize_t length = PyUnicode_GetLength(text)
        cdef const unsigned char *written = NULL
        cdef uint32_t *codes = NULL
        cdef lk_counts found
        if is_ascii(text, NULL) is True:
            written = <const unsigned char *>PyUnicode_AsUTF8AndSize(text, &length)
        else:
            codes = PyUnicode_AsUCS4Copy(text)
        if length < LONG:
            found = self.count_text(written, codes, length)
        else:
            with nogil:
                found = self.count_text(written, codes, length)
        PyMem_Free(codes)
        return found.words, found.sentences, found.longest

    cdef lk_counts count_text(self, const unsigned char *written, const uint32_t *codes,
                              Py_ssize_t length) noexcept nogil:
        if written != NULL:
            return lk_count_ascii(written, <size_t>length)
        return lk_count_codes(codes, <size_t>length, lk_fold_code, &self.folds)


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
        cdef const char *text = PyBytes_AsString(self.body) + said.begin
        cdef size_t size = said.end - said.begin
        if memchr(text, b"\\", size) != NULL:
            return decode(PyBytes_FromStringAndSize(text, <Py_ssize_t>size))
        return PyUnicode_DecodeUTF8(text + 1, <Py_ssize_t>size - 2, NULL)

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

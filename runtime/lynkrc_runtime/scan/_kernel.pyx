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
from libc.string cimport memchr, memcpy, memset, strcmp


include "declared.pxi"


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


cdef int refuse(const char *wrong) except -1:
    # Ends with what the C files say; NULL is nothing.
    if wrong == NULL:
        return 0
    if strcmp(wrong, LK_NO_MEMORY) == 0:
        raise MemoryError
    raise ValueError(wrong.decode("ascii"))


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
        refuse(
            lk_bind(&self.table, <const unsigned char *>PyBytes_AsString(data), PyBytes_Size(data))
        )
        refuse(
            lk_bind_folds(
                &self.folds, <const unsigned char *>PyBytes_AsString(folds), PyBytes_Size(folds)
            )
        )
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
        refuse(wrong)

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
        cdef Py_ssize_t lexicons = self.table.lexicons
        cdef lk_work *work = &room.work
        cdef bint differ = False, have_points = False
        cdef uint32_t lexicon
        cdef size_t i
        try:
            if room.entered == 0:
                return None
            # Few lexicons occur: a tuple is born with zeros, and theirs are replaced. Often it
            # would be the same as another one: each entry occurs once, or none has a weight.
            counts = PyTuple_GetSlice(self.zeros, 0, lexicons)
            for i in range(work.met_count):
                lexicon = work.met[i]
                put(counts, lexicon, work.counts[lexicon])
                differ |= work.counts[lexicon] != work.distinct[lexicon]
                have_points |= work.points[lexicon] != 0
            distinct = counts
            if differ:
                distinct = PyTuple_GetSlice(self.zeros, 0, lexicons)
                for i in range(work.met_count):
                    put(distinct, work.met[i], work.distinct[work.met[i]])
            points = self.nothing
            if have_points:
                points = PyTuple_GetSlice(self.zeros, 0, lexicons)
                for i in range(work.met_count):
                    put(points, work.met[i], work.points[work.met[i]])
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
    """Counts what `ask.*` features count; see _kernel.pyi."""

    cdef lk_folds folds
    cdef bytes data

    def __cinit__(self, bytes folds not None):
        refuse(
            lk_bind_folds(
                &self.folds, <const unsigned char *>PyBytes_AsString(folds), PyBytes_Size(folds)
            )
        )
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
        cdef size_t weight = (found.bytes - 3 * found.cjk) * LK_PER_BYTE + found.cjk * LK_PER_CJK
        return (
            found.bytes,
            length,
            (weight + 19) // 20,
            found.words,
            found.sentences,
            found.longest,
            <size_t>length // found.sentences if found.sentences != 0 else 0,
            found.lines,
            found.commas,
            found.periods,
            found.parens,
            found.quotes,
            found.questions,
        )

    cdef lk_counts count_text(self, const unsigned char *written, const uint32_t *codes,
                              Py_ssize_t length) noexcept nogil:
        if written != NULL:
            return lk_count_ascii(written, <size_t>length)
        return lk_count_codes(codes, <size_t>length, lk_fold_code, &self.folds)


include "heads.pxi"
include "bodies.pxi"

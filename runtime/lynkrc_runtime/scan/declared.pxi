# What the C files declare, and Python's own that Cython has no name for.

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


cdef extern from "room.h":
    const char *LK_NO_MEMORY


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
        uint32_t *met
        size_t found_count
        size_t met_count
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


cdef extern from "json_text.h":
    enum:
        LK_PER_BYTE
        LK_PER_CJK


cdef extern from "counts.h":
    ctypedef uint32_t (*lk_fold_one)(const void *folds, uint32_t code) noexcept nogil
    ctypedef struct lk_counts:
        size_t bytes
        size_t cjk
        size_t words
        size_t sentences
        size_t longest
        size_t lines
        size_t commas
        size_t periods
        size_t parens
        size_t quotes
        size_t questions
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
    ctypedef struct lk_text:
        size_t turn
        size_t begin
        size_t end
    ctypedef struct lk_turns:
        lk_turn *turns
        lk_result *results
        lk_call *calls
        lk_text *texts
        size_t turn_count
        size_t result_count
        size_t call_count
        size_t text_count
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
    ctypedef enum lk_piece_kind:
        LK_TEXT
    ctypedef struct lk_piece:
        size_t turn
        lk_piece_kind kind
        int is_odd
        lk_span text
        lk_span input
    ctypedef struct lk_chat:
        lk_turns turns
        lk_piece *pieces
        unsigned char *inputs
        size_t piece_count
        size_t system_end
        int has_refusal
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

/* The extension module around a compiled scorer: a list of ints in, a tuple of ints out.
 *
 * What Cython makes of scorer.py is C arithmetic alone, included below. The rest of that file, its
 * module included, is of this unit alone, where nothing calls it: the compiler drops it, and makes
 * the arithmetic once, where it is called. This file is the only place where Python's objects are
 * touched. It uses the limited API of CPython 3.11, so that one library serves that version and all
 * later ones. Nothing is static but constants: a library that is loaded twice, or by two
 * interpreters, has a state for each.
 *
 * SLOTS, the length of the vector, is given on the command line.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define CYTHON_NO_PYINIT_EXPORT
#define PyInit_scorer unused_init /* The module of Cython, which nobody starts. */
static PyObject *unused_init(void);
#include "scorer.c"
#undef PyInit_scorer

/* Cython counts on C's long for literals, and a scorer's results may need 63 bits. */
_Static_assert(sizeof(long) == 8 && sizeof(long long) == 8, "integers of 64 bits");

#define FIELDS 7
#define KEPT 64 /* Verdicts whose tuples are kept; a power of two. */

typedef union {
    long long number[SLOTS ? SLOTS : 1];
    __pyx_t_6scorer_Vector all;
} Vector;

typedef union {
    long long number[FIELDS];
    __pyx_t_6scorer_Verdict all;
} Verdict;

_Static_assert(sizeof(Vector) == sizeof(long long) * (SLOTS ? SLOTS : 1), "a number a slot");
_Static_assert(sizeof(Verdict) == sizeof(long long) * FIELDS, "a number a field");

typedef struct {
    PyObject *zero, *one; /* What most slots are: told by their address where they are shared. */
    struct {
        Verdict verdict;
        PyObject *tuple;
    } kept[KEPT]; /* Verdicts are few and come again. */
} State;

static int read_vector(const State *state, PyObject *list, Vector *vector)
{
    if (!PyList_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "a vector is a list");
        return -1;
    }
    if (PyList_Size(list) != SLOTS) {
        PyErr_Format(PyExc_ValueError, "a vector of %zd numbers, not of %zd", PyList_Size(list),
                     (Py_ssize_t)SLOTS);
        return -1;
    }
    vector->number[0] = 0;
    for (Py_ssize_t slot = 0; slot < SLOTS; slot++) {
        PyObject *item = PyList_GetItem(list, slot); /* Borrowed. */
        if (item == state->zero) {
            vector->number[slot] = 0;
        } else if (item == state->one) {
            vector->number[slot] = 1;
        } else {
            /* A conversion may run code that shortens the list: GetItem then has no item. */
            long long number = item == NULL ? -1 : PyLong_AsLongLong(item);
            if (number == -1 && PyErr_Occurred()) {
                return -1;
            }
            vector->number[slot] = number;
        }
    }
    return 0;
}

static PyObject *new_tuple(const Verdict *verdict)
{
    PyObject *tuple = PyTuple_New(FIELDS);
    for (Py_ssize_t field = 0; tuple != NULL && field < FIELDS; field++) {
        PyObject *number = PyLong_FromLongLong(verdict->number[field]);
        if (number == NULL || PyTuple_SetItem(tuple, field, number) < 0) {
            Py_CLEAR(tuple);
        }
    }
    return tuple;
}

/* Flat: a vector handed to a function is a copy of all its numbers. */
__attribute__((flatten)) static PyObject *decide(PyObject *module, PyObject *list)
{
    State *state = PyModule_GetState(module);
    Vector vector;
    Verdict verdict;
    if (read_vector(state, list, &vector) < 0) {
        return NULL;
    }
    verdict.all = __pyx_f_6scorer_decide(vector.all);
    /* The score tells most verdicts apart, then the rule, the chain and the targets. */
    unsigned long long mixed = (unsigned long long)verdict.number[5];
    mixed += 7ULL * (unsigned long long)verdict.number[2];
    mixed += 19ULL * (unsigned long long)verdict.number[3];
    mixed += 37ULL * (unsigned long long)verdict.number[4];
    size_t place = mixed % KEPT;
    PyObject *known = state->kept[place].tuple;
    if (known == NULL || memcmp(&state->kept[place].verdict, &verdict, sizeof verdict) != 0) {
        PyObject *made = new_tuple(&verdict);
        if (made == NULL) {
            return NULL;
        }
        /* Making it may run the garbage collector, and that a call that keeps another here. */
        known = state->kept[place].tuple;
        state->kept[place].verdict = verdict;
        state->kept[place].tuple = made;
        Py_XDECREF(known);
        known = made;
    }
    return Py_NewRef(known);
}

static int start(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->zero = PyLong_FromLong(0);
    state->one = PyLong_FromLong(1);
    return state->zero == NULL || state->one == NULL ? -1 : 0;
}

static void end(void *module)
{
    State *state = PyModule_GetState(module);
    if (state == NULL) {
        return; /* The module was never started. */
    }
    Py_CLEAR(state->zero);
    Py_CLEAR(state->one);
    for (size_t place = 0; place < KEPT; place++) {
        Py_CLEAR(state->kept[place].tuple);
    }
}

static PyMethodDef functions[] = {
    {"decide", decide, METH_O, "The verdict on a clamped feature vector in slot order."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot steps[] = {
    {Py_mod_exec, start},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "scorer",
    .m_doc = "A compiled scorer.",
    .m_size = sizeof(State),
    .m_methods = functions,
    .m_slots = steps,
    .m_free = end,
};

__attribute__((visibility("default"))) PyObject *PyInit_scorer(void)
{
    return PyModuleDef_Init(&definition);
}

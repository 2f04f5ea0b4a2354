# Headers to the lines of a head; see _kernel.pyi.


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

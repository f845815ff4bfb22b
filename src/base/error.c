#include "base/error.h"

int dl_fail(dl_error *error, dl_code code, const char *format, ...) {
    if (error->count++ == 0)
        error->code = code;
    else
        dl_text_add(&error->text, "\n");
    va_list arguments;
    va_start(arguments, format);
    dl_text_add_v(&error->text, format, arguments);
    va_end(arguments);
    return -1;
}

void dl_error_clear(dl_error *error) {
    dl_text_free(&error->text);
    *error = (dl_error){0};
}

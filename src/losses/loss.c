#include "losses/loss.h"

int dl_loss_check_outputs(const dl_output *output, int wanted, const char *reason,
                          dl_error *error) {
    int64_t outputs = dl_shape_size(output->shape);
    if (outputs == wanted)
        return 0;
    return dl_fail(
        error, DL_USAGE, "%s: the last layer, \"%s\", has %lld output%s, but %s: it must have %d",
        output->where, output->name, (long long)outputs, outputs == 1 ? "" : "s", reason, wanted);
}

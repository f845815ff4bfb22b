/* SPDX-License-Identifier: MIT */
/* A network: layers in the order in which they run, the flat blocks of their parameters, and one
   block of memory for everything that lives within a step. */
#ifndef DL_NET_NET_H
#define DL_NET_NET_H

#include "config/config.h"
#include "layers/layer.h"

/* Seconds that a layer has taken in all, while the net was training. */
typedef struct {
    double forward, backward;
} dl_layer_time;

enum { DL_MOST_HEADS = 16 };

/* An auxiliary head: layers beside the chain of the others, whose output has the targets of the
   net's own. They run in training passes only, and no other layer reads them. */
typedef struct {
    const char *name;       /* "aux_1" */
    const char *where;      /* "file:line" in the config */
    int first, last;        /* its layers; the last one's output is the head's */
    double weight;          /* of its loss, beside the net's own that counts 1 */
    config_setting_t *loss; /* as it stands in the config; NULL: the net's own */
} dl_head;

/* Called with each layer of a pass: after it has run forward, and before it runs backward, when the
   gradient of its output is whole. For looks into a net: it changes nothing. */
typedef void dl_net_watch(void *context, int layer, bool backward);

typedef struct {
    dl_arena arena;
    dl_config *config; /* borrowed */
    dl_config made;    /* what blocks made of their options */
    int layer_count;
    dl_layer *layers;
    int **sources;  /* [layer][input]: the index of the layer that it reads, -1: the data */
    int **summands; /* [layer][...]: further readers' gradients to be added to out.grad: pairs of
                       (reader, its input), ended by -1 */
    unsigned *met;  /* [layer]: working memory of the backward pass, a bit a parameter */
    bool *has_gradient; /* [layer]: there is something to train in it or before it */
    dl_head heads[DL_MOST_HEADS];
    int head_count;

    dl_shape input;
    int max_batch;
    bool training;

    /* The flat blocks. gradients is NULL in a net that is not trained. */
    int64_t weight_count, state_count;
    float *weights, *gradients, *states;
    int param_count, state_param_count;
    dl_param *params, *state_params; /* all of the layers', with full names ("dense_1.weight") */

    void *memory;                                                          /* placed by the plan */
    int64_t memory_bytes, activation_bytes, gradient_bytes, scratch_bytes; /* the plan's figures */
    dl_net_watch *watch;                                                   /* NULL: nobody looks */
    void *watcher;                                                         /* its context */
    bool still; /* layers whose training depends on chance alone (dropout, noise) run as at test */
    dl_layer_time *profile;      /* [layer], or NULL: times are not taken */
    int64_t operations;          /* of a forward pass, a sample: 2 a multiply-add */
    int64_t training_operations; /* of a step, a sample */
} dl_net;

/* The options of every layer and block, whatever its type. */
extern const dl_option *const dl_net_layer_options;

/* Reads the `network` list of the config, checking all that can be checked without the data. `net`
   is all zero; dl_net_free is fine after a failure. */
int dl_net_read(dl_net *net, dl_config *config, dl_error *error);
/* Works out the shapes, and allocates everything that the passes will ever use, for batches of up
   to `max_batch` samples. */
int dl_net_build(dl_net *net, dl_shape input, int max_batch, bool training, int threads,
                 dl_error *error);
void dl_net_free(dl_net *net);

/* From now on takes the time of each layer in training passes. */
void dl_net_start_profile(dl_net *net);
/* Draws the initial parameters. */
void dl_net_initialize(dl_net *net, uint64_t seed);
/* One of them, from its own draw; NULL if its initializer draws nothing. */
void dl_net_initialize_param(const dl_param *param, const dl_draw *draw);

/* Before epoch number `epoch`, from 1: which parameters are to be trained in it. */
void dl_net_thaw(dl_net *net, int64_t epoch);

/* Before the first batch of a pass over data: what batches hand on to the next is zero. */
void dl_net_begin(dl_net *net);
/* The first layer that hands its state on from batch to batch; NULL if none does. Once built. */
const dl_layer *dl_net_stateful(const dl_net *net);

/* x[batch][input] is borrowed until the backward pass is over. The output is
 * dl_net_output(net)->value. */
void dl_net_forward(dl_net *net, const float *x, const dl_pass *pass);
/* From dl_net_output(net)->grad and each head's, which their losses have filled, to net->gradients
   (overwritten). The forward pass before it was one of training. */
void dl_net_backward(dl_net *net, const dl_pass *pass);
dl_tensor *dl_net_output(dl_net *net);
/* A training pass over zeros, so that what the libraries' kernels allocate when they are first used
   is there. The net, built to be trained, is as before, but for its gradients. */
void dl_net_warm_up(dl_net *net);
/* Head h's output: valid after a training pass. */
dl_tensor *dl_net_head_output(dl_net *net, int h);
/* The index of the head that layer i is part of; -1: of none. */
int dl_net_head(const dl_net *net, int i);

/* The layer that takes this one's bias out again, so that it is in vain; -1: none, or there are
   readers to whom it matters. Of a net that is built. */
int dl_net_bias_taken_out(const dl_net *net, int layer);

/* The name of the first layer whose output or parameter is not finite, with which of the two, as
   text that is owned by the net; NULL if all are finite. Runs a forward pass. */
const char *dl_net_find_bad(dl_net *net, const float *x, const dl_pass *pass);

#endif

/* SPDX-License-Identifier: MIT */
#include "inspect/embed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "math/kmeans.h"
#include "math/neighbors.h"
#include "math/pca.h"
#include "math/tsne.h"
#include "math/vector.h"

enum { COMPONENTS = 50, CLUSTERS = 10, PERPLEXITY = 30, RESTARTS = 10, LEAST_ROWS = 5 };

typedef struct {
    int64_t count;    /* of components */
    float *z;         /* [rows][count]: coordinates in principal components */
    float *map;       /* [2][rows], of t-SNE */
    int32_t *cluster; /* [rows] */
    int clusters;
} results;

/* ---- outputs ---- */

static bool add_outputs(void *context, const dl_batch *batch) {
    dl_embedding *e = context;
    dl_model *model = e->look->model;
    const float *out = e->look->is_input ? batch->x : dl_net_output(&model->net)->value;
    int64_t all = model->data.part[e->look->split].count;
    for (int64_t i = 0; i < batch->count; i++, e->seen++) {
        int64_t row = e->seen * e->rows / all;
        if (e->seen && (e->seen - 1) * e->rows / all == row)
            continue;
        memcpy(e->x + row * e->size, out + i * e->size, sizeof *out * (size_t)e->size);
        e->index[row] = batch->index[i];
        if (e->target)
            e->target[row] = batch->y[i];
    }
    return true;
}

static int collect(dl_embedding *e, dl_error *error) {
    dl_model *model = e->look->model;
    const dl_schema *schema = &model->data.schema;
    int64_t all = model->data.part[e->look->split].count, numbers;
    e->rows = all < e->options->rows ? all : e->options->rows;
    e->shape = e->look->is_input ? schema->input : dl_net_output(&model->net)->shape;
    e->size = dl_shape_size(e->shape);
    if (e->rows < LEAST_ROWS)
        return dl_fail(error, DL_DATA, "%lld rows are too few for a map", (long long)e->rows);
    if (!dl_multiply(e->rows, e->size, &numbers) || numbers > INT64_C(1) << 31 ||
        (e->rows > DL_PCA_MOST && e->size > DL_PCA_MOST))
        return dl_fail(error, DL_USAGE,
                       "%lld outputs of %lld rows are too many: take fewer rows (--rows), or a "
                       "later layer",
                       (long long)e->size, (long long)e->rows);
    if (e->rows < all)
        fprintf(stderr, "%lld of %lld rows, evenly spread (others: --rows N)\n", (long long)e->rows,
                (long long)all);
    e->x = xmalloc(sizeof *e->x * (size_t)numbers);
    e->index = xmalloc(sizeof *e->index * (size_t)e->rows);
    e->classes = schema->classes;
    if (schema->outputs == 1)
        e->target = xmalloc(sizeof *e->target * (size_t)e->rows);
    if (dl_look_run(e->look, add_outputs, e, error))
        return -1;
    if (dl_find_not_finite(e->x, numbers) >= 0)
        return dl_fail(error, DL_FAILURE, "%s: an output is not finite", e->of);
    if (!e->classes && e->target)
        dl_denormalize(&model->data.target, e->target, e->rows, 1);
    return 0;
}

/* ---- components and clusters ---- */

static int project(const dl_embedding *e, results *r, dl_error *error) {
    dl_pca pca;
    int64_t most = e->size < e->rows - 1 ? e->size : e->rows - 1;
    r->count = most < COMPONENTS ? most : COMPONENTS;
    int result = dl_pca_fit(&pca, e->x, e->rows, e->size, r->count);
    if (result)
        result = dl_fail(error, DL_FAILURE, "%s: LAPACK finds no principal components", e->of);
    else {
        double sum = 0;
        r->z = xmalloc(sizeof *r->z * (size_t)(e->rows * r->count));
        dl_pca_apply(&pca, e->x, e->rows, r->z);
        printf("PCA: of the variance");
        for (int64_t k = 0; k < r->count; k++) {
            sum += pca.variance[k];
            if (k < 2 || k == 9 || k + 1 == r->count)
                printf("%s %.1f %% in %lld", k ? "," : "",
                       pca.total > 0 ? 100 * sum / pca.total : 0, (long long)k + 1);
        }
        printf(" component%s\n", r->count == 1 ? "" : "s");
    }
    dl_pca_free(&pca);
    return result;
}

static double pairs(int64_t n) {
    return (double)n * (double)(n - 1) / 2;
}

/* Purity, and the index of Hubert and Arabie, "Comparing partitions", 1985. */
static void print_agreement(const dl_embedding *e, const results *r) {
    size_t size = (size_t)r->clusters * (size_t)e->classes;
    int64_t *count = xcalloc(size, sizeof *count);
    int64_t *of_class = xcalloc((size_t)e->classes, sizeof *of_class), pure = 0;
    double both = 0, in_cluster = 0, in_class = 0;
    for (int64_t i = 0; i < e->rows; i++) {
        count[r->cluster[i] * e->classes + (int)e->target[i]]++;
        of_class[(int)e->target[i]]++;
    }
    for (int k = 0; k < r->clusters; k++) {
        int64_t most = 0, sum = 0;
        for (int c = 0; c < e->classes; c++) {
            int64_t n = count[k * e->classes + c];
            most = n > most ? n : most;
            sum += n;
            both += pairs(n);
        }
        pure += most;
        in_cluster += pairs(sum);
    }
    for (int c = 0; c < e->classes; c++)
        in_class += pairs(of_class[c]);
    double expected = in_cluster * in_class / pairs(e->rows), most = (in_cluster + in_class) / 2;
    printf("; against the %d classes: purity %.4f, adjusted Rand index %.4f", e->classes,
           (double)pure / (double)e->rows,
           most > expected ? (both - expected) / (most - expected) : 1);
    free(count);
    free(of_class);
}

static void cluster(const dl_embedding *e, results *r) {
    int64_t wanted = e->options->clusters;
    wanted = wanted ? wanted : e->classes > 0 && e->target ? e->classes : CLUSTERS;
    r->clusters = (int)(wanted < e->rows ? wanted : e->rows);
    r->cluster = xmalloc(sizeof *r->cluster * (size_t)e->rows);
    float *center = xmalloc(sizeof *center * (size_t)(r->clusters * e->size));
    double inertia = dl_kmeans(e->x, e->rows, e->size, r->clusters, RESTARTS,
                               (uint64_t)e->options->seed, r->cluster, center);
    printf("k-means: %d clusters, inertia %.9g", r->clusters, inertia);
    if (e->classes && e->target)
        print_agreement(e, r);
    printf("\n");
    free(center);
}

/* ---- the map ---- */

/* The first two components, scaled to 1e-4, with some noise: Kobak and Berens, "The art of using
   t-SNE for single-cell transcriptomics", 2019. */
static void begin_map(const dl_embedding *e, results *r) {
    int64_t n = e->rows;
    double square = 0;
    dl_draw draw = {.seed = (uint64_t)e->options->seed, .purpose = DL_FOR_EMBEDDING, .stream = 1};
    r->map = xmalloc(sizeof *r->map * (size_t)(2 * n + 4));
    dl_random_normal(&draw, 0, 2 * n, r->map);
    for (int64_t i = 0; i < n; i++)
        square += (double)r->z[i * r->count] * (double)r->z[i * r->count];
    float scale = square > 0 ? 1e-4f / (float)sqrt(square / (double)n) : 0;
    for (int64_t i = 0; i < n; i++)
        for (int axis = 0; axis < 2; axis++)
            r->map[axis * n + i] = 1e-6f * r->map[axis * n + i] +
                                   (axis < r->count ? scale * r->z[i * r->count + axis] : 0);
}

/* The share of rows whose nearest other row has another class. */
static double neighbor_error(const dl_embedding *e, const float *x, int64_t dims) {
    int64_t wrong = 0;
    int32_t *index = xmalloc(sizeof *index * (size_t)e->rows);
    float *square = xmalloc(sizeof *square * (size_t)e->rows);
    dl_neighbors(x, e->rows, dims, 1, index, square);
    for (int64_t i = 0; i < e->rows; i++)
        wrong += e->target[i] != e->target[index[i]];
    free(index);
    free(square);
    return (double)wrong / (double)e->rows;
}

static void print_errors(const dl_embedding *e, const results *r) {
    int64_t n = e->rows;
    float *points = xmalloc(sizeof *points * (size_t)(2 * n));
    for (int64_t i = 0; i < 2 * n; i++)
        points[i] = r->map[i % 2 * n + i / 2];
    printf("1-nearest-neighbor error: %.2f %% in the map, %.2f %% in %lld components\n",
           100 * neighbor_error(e, points, 2), 100 * neighbor_error(e, r->z, r->count),
           (long long)r->count);
    free(points);
}

static int make_map(const dl_embedding *e, results *r, dl_error *error) {
    double most = ((double)e->rows - 1) / 3, perplexity = e->options->perplexity;
    if (perplexity > most)
        return dl_fail(error, DL_USAGE, "a perplexity of %g needs more than %lld rows", perplexity,
                       (long long)e->rows);
    perplexity = perplexity > 0 ? perplexity : most < PERPLEXITY ? most : PERPLEXITY;
    bool exact = e->rows <= DL_TSNE_EXACT;
    begin_map(e, r);
    fflush(stdout);
    dl_affinities a = dl_affinities_new(r->z, e->rows, r->count, perplexity, exact);
    dl_tsne(&a, e->options->iterations, r->map);
    printf("t-SNE%s: perplexity %g, %lld iterations, divergence %.4f\n",
           exact ? "" : " (Barnes-Hut)", perplexity, (long long)e->options->iterations,
           dl_affinities_cost(&a, r->map));
    dl_affinities_free(&a);
    if (e->classes && e->target)
        print_errors(e, r);
    return 0;
}

/* ---- files ---- */

static void add_target(const dl_embedding *e, dl_text *csv, int64_t i) {
    char number[16];
    if (!e->target)
        return;
    if (!e->classes) {
        dl_text_add(csv, ",%.7g", (double)e->target[i]);
        return;
    }
    dl_text_add(csv, ",");
    dl_text_add_field(csv,
                      dl_schema_class(&e->look->model->data.schema, (int)e->target[i], number));
}

static int write_table(const dl_embedding *e, const results *r, dl_error *error) {
    dl_text csv = {0};
    dl_text_add(&csv, "row%s,cluster,pca_1,pca_2,tsne_1,tsne_2\n",
                !e->target   ? ""
                : e->classes ? ",class"
                             : ",target");
    for (int64_t i = 0; i < e->rows; i++) {
        dl_text_add(&csv, "%lld", (long long)e->index[i]);
        add_target(e, &csv, i);
        dl_text_add(&csv, ",%d,%.6g,%.6g,%.6g,%.6g\n", r->cluster[i], (double)r->z[i * r->count],
                    r->count > 1 ? (double)r->z[i * r->count + 1] : 0, (double)r->map[i],
                    (double)r->map[e->rows + i]);
    }
    return dl_look_write(e->look, "embed", "csv", &csv, error);
}

static int write_neighbors(const dl_embedding *e, dl_error *error) {
    int64_t count = e->options->neighbors < e->rows ? e->options->neighbors : e->rows - 1;
    int32_t *index = xmalloc(sizeof *index * (size_t)(e->rows * count));
    float *square = xmalloc(sizeof *square * (size_t)(e->rows * count));
    dl_text csv = {0};
    dl_neighbors(e->x, e->rows, e->size, count, index, square);
    dl_text_add(&csv, "row%s,rank,neighbor,distance%s\n", e->target ? ",target" : "",
                e->target ? ",neighbor_target" : "");
    for (int64_t n = 0; n < e->rows * count; n++) {
        dl_text_add(&csv, "%lld", (long long)e->index[n / count]);
        add_target(e, &csv, n / count);
        dl_text_add(&csv, ",%lld,%lld,%.6g", (long long)(n % count + 1),
                    (long long)e->index[index[n]], sqrt((double)square[n]));
        add_target(e, &csv, index[n]);
        dl_text_add(&csv, "\n");
    }
    free(index);
    free(square);
    return dl_look_write(e->look, "neighbors", "csv", &csv, error);
}

static int write_files(const dl_embedding *e, results *r, dl_error *error) {
    char title[128];
    int64_t n = e->rows;
    float *plane = xcalloc((size_t)(2 * n), sizeof *plane);
    for (int64_t i = 0; i < 2 * n; i++)
        plane[i] = i / n < r->count ? r->z[i % n * r->count + i / n] : 0;
    snprintf(title, sizeof title, "%.60s, %lld rows, principal components", e->of, (long long)n);
    int result = dl_look_write_npy(e->look, "outputs", e->rows, e->shape, e->x, error) ||
                 write_table(e, r, error) || dl_embedding_draw(e, "pca", title, plane, error);
    free(plane);
    snprintf(title, sizeof title, "%.60s, %lld rows, t-SNE", e->of, (long long)n);
    if (!result)
        result = dl_embedding_draw(e, "tsne", title, r->map, error);
    if (!result && e->look->model->data.schema.input.rank == 3)
        result = dl_embedding_draw_thumbnails(e, r->map, error);
    if (!result && e->options->neighbors)
        result = write_neighbors(e, error);
    return result ? -1 : 0;
}

int dl_look_at_embedding(dl_look *look, const dl_embed_options *options, dl_error *error) {
    dl_embedding e = {.look = look,
                      .options = options,
                      .of = look->is_input ? "input" : look->model->net.layers[look->layer].name};
    results r = {0};
    int result = collect(&e, error);
    if (!result) {
        printf("%s: %lld outputs of %lld rows (%s)\n", e.of, (long long)e.size, (long long)e.rows,
               dl_split_names[look->split]);
        result = project(&e, &r, error);
    }
    if (!result) {
        cluster(&e, &r);
        result = make_map(&e, &r, error);
    }
    if (!result)
        result = write_files(&e, &r, error);
    free(e.x);
    free(e.index);
    free(e.target);
    free(r.z);
    free(r.map);
    free(r.cluster);
    return result;
}

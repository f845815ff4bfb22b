// SPDX-License-Identifier: MIT
// threads RUN: nets that one thread opened answer in others, all at once, and allocate nothing.
#include <dltrain.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

static std::atomic<long> allocations;
extern "C" void *__libc_malloc(size_t size);
extern "C" void *__libc_calloc(size_t count, size_t size);
extern "C" void *__libc_memalign(size_t alignment, size_t size);
extern "C" void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}
extern "C" void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}
extern "C" void *aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

enum { NETS = 4, ROWS = 20 };

static long count_allocations(dltrain_net *net, const float *x, float *out) {
    long before = allocations;
    for (int i = 0; i < 5; i++)
        for (int count = 1; count <= 4; count++)
            dltrain_run(net, x, count, out);
    return allocations - before;
}

int main(int, char **argv) {
    dltrain_net *nets[NETS];
    std::vector<float> outs[NETS], x;
    for (auto &net : nets) {
        dltrain_options options = {};
        options.batch = 4;
        options.threads = 1;
        if (dltrain_open(argv[1], &options, &net))
            return std::fputs(dltrain_error(net), stderr), 1;
    }
    const dltrain_info *info = dltrain_describe(nets[0]);
    for (size_t i = 0; i < info->input_size * ROWS; i++)
        x.push_back((float)(i * 7919 % 256));
    std::vector<std::thread> threads;
    for (int i = 0; i < NETS; i++)
        threads.emplace_back([&, i] {
            outs[i].resize(info->output_size * ROWS);
            for (int r = 0; r < 20; r++)
                for (int count = 1; count <= ROWS; count++)
                    dltrain_run(nets[i], x.data(), count, outs[i].data());
        });
    for (auto &thread : threads)
        thread.join();
    for (int i = 1; i < NETS; i++)
        if (outs[i] != outs[0])
            return std::printf("net %d differs\n", i), 1;
    count_allocations(nets[0], x.data(), outs[0].data()); /* the first in this thread */
    std::printf("%ld allocations\n", count_allocations(nets[0], x.data(), outs[0].data()));
    for (auto net : nets)
        dltrain_close(net);
    return 0;
}

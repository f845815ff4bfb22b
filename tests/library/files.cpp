// SPDX-License-Identifier: MIT
// Files in, their answers out, one net per thread: files RUN FILE...
#include <dltrain.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

static void answer(const char *run, const char *file, std::string *text, int *status) {
    dltrain_net *net = nullptr;
    dltrain_inputs *inputs = nullptr;
    dltrain_input_options options = {};
    const dltrain_answers *answers = nullptr;
    options.paths = &file;
    options.path_count = 1;
    *status = dltrain_open(run, nullptr, &net);
    if (!*status)
        *status = dltrain_inputs_open(net, &options, &inputs);
    while (!*status && !(*status = dltrain_inputs_next(inputs, &answers)) && answers) {
        const dltrain_info *info = dltrain_describe(net);
        for (int i = 0; i < answers->count; i++)
            *text += answers->problem[i] ? answers->problem[i]
                                         : info->class_names[answers->classes[i]],
                *text += "\n";
    }
    if (*status)
        *text += dltrain_error(net);
    dltrain_inputs_close(inputs);
    dltrain_close(net);
}

int main(int argc, char **argv) {
    std::vector<std::thread> threads;
    std::vector<std::string> texts(argc);
    std::vector<int> statuses(argc);
    for (int i = 2; i < argc; i++)
        threads.emplace_back(answer, argv[1], argv[i], &texts[i], &statuses[i]);
    for (auto &thread : threads)
        thread.join();
    int worst = 0;
    for (int i = 2; i < argc; i++) {
        std::fputs(texts[i].c_str(), stdout);
        worst = statuses[i] > worst ? statuses[i] : worst;
    }
    return worst;
}

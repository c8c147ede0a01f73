#pragma once
// A run made up for tests: attention with sinks, previous-token and induction heads, and a few predictions.
#include <cmath>
#include <random>

#include "views/shared/shown_run.h"

namespace vitrine::tests {

inline views::RunPtr sample_run(std::vector<std::string> words, int layers = 4, int heads = 4,
                                unsigned seed = 1) {
    auto run = std::make_shared<views::ShownRun>();
    const auto token_of = [](std::int32_t id, const std::string& bytes) {
        return figure::Token{id, bytes, false, figure::shown_token(bytes)};
    };
    for (std::size_t i = 0; i < words.size(); ++i)
        run->tokens.push_back(token_of(static_cast<std::int32_t>(i), words[i]));
    run->layers = layers;
    run->heads = heads;
    run->model = "default";
    run->device = "cpu";
    run->precision = "exact";
    run->token_of = [token_of, words](std::int32_t id) {
        return token_of(id, words[static_cast<std::size_t>(id) % words.size()]);
    };
    const int size = run->size();
    std::mt19937 draw(seed);
    std::uniform_real_distribution<float> noise(0.0F, 1.0F);
    for (int layer = 0; layer < layers; ++layer) {
        auto tensor = std::make_shared<Tensor>(Shape{heads, size, size});
        for (int head = 0; head < heads; ++head)
            for (int query = 0; query < size; ++query) {
                std::vector<float> weights(static_cast<std::size_t>(query) + 1);
                float sum = 0;
                for (int key = 0; key <= query; ++key) {
                    const bool sink = (layer + head) % 3 != 0 && key == 0;
                    const bool previous = (layer + head) % 3 == 0 && key + 1 == query;
                    sum += weights[static_cast<std::size_t>(key)] =
                        std::exp(2 * noise(draw)) * (sink || previous ? 40.0F : 1.0F);
                }
                for (int key = 0; key <= query; ++key)
                    tensor->data[static_cast<std::size_t>((head * size + query) * size + key)] =
                        weights[static_cast<std::size_t>(key)] / sum;
            }
        run->patterns.push_back(tensor);
    }
    for (int at = 0; at < size; ++at) {
        backend::LogitRow row;
        row.entropy = 1.5F + 0.1F * static_cast<float>(at);
        row.logsumexp = 10;
        for (int i = 0; i < std::min(10, size); ++i)
            row.top.push_back({(at + i) % size, 9.5F - 0.7F * static_cast<float>(i)});
        run->next.push_back(row);
    }
    return run;
}

} // namespace vitrine::tests

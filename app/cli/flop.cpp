#include "app/cli/flop.h"

#include <algorithm>

namespace vitrine::cli {

std::uint64_t forward_flop(const model::ModelSpec& spec, int tokens, int past) {
    const auto n = static_cast<std::uint64_t>(tokens);
    const auto d = static_cast<std::uint64_t>(spec.d_model);
    const auto queries = static_cast<std::uint64_t>(spec.heads) * static_cast<std::uint64_t>(spec.d_head);
    const auto keys = static_cast<std::uint64_t>(spec.kv_heads) * static_cast<std::uint64_t>(spec.d_head);
    const auto d_ff = static_cast<std::uint64_t>(spec.d_ff);
    const std::uint64_t projections = d * queries + 2 * d * keys + queries * d;
    const std::uint64_t mlp = (spec.gated ? 3 : 2) * d * d_ff;
    std::uint64_t total = 0;
    for (int layer = 0; layer < spec.layers; ++layer) {
        std::uint64_t visible = 0;
        for (int i = 0; i < tokens; ++i) {
            const int all = past + i + 1;
            const int window = spec.window_of(layer);
            visible += static_cast<std::uint64_t>(window > 0 ? std::min(window, all) : all);
        }
        total += 2 * n * (projections + mlp) + 4 * queries * visible;
    }
    return total + 2 * d * static_cast<std::uint64_t>(spec.vocab);
}

} // namespace vitrine::cli

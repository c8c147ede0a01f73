#pragma once
#include <cstdint>

#include "core/model/spec.h"

namespace vitrine::cli {

/// Floating-point operations (a multiplication and an addition count two) of the products of a forward pass
/// over `tokens` new tokens behind `past` cached ones: projections, scores and mix of the visible keys, MLP,
/// and the logits of one position. Norms, activations and softmax are left out, as is usual.
std::uint64_t forward_flop(const model::ModelSpec& spec, int tokens, int past);

} // namespace vitrine::cli

#pragma once
#include <utility>

#include "core/base/tensor.h"
#include "core/model/spec.h"

namespace vitrine::run {

/// cos and sin of every rotary angle of positions [0, positions): two tensors [positions, dims/2], computed
/// in float32 on the host as `transformers` does, so that every device rotates by the same numbers.
std::pair<SharedTensor, SharedTensor> rotary_tables(const model::RotarySpec& rotary, int positions);

} // namespace vitrine::run

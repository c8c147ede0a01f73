#pragma once
#include <vector>

#include "core/base/tensor.h"
#include "core/model/spec.h"
#include "core/run/plan.h"

namespace vitrine::run {

/// cos and sin of every rotary angle that a batch needs, computed in float32 on the host as `transformers`
/// does, so that every device rotates by the same numbers.
struct RotaryTables {
    SharedTensor cos, sin;  ///< [positions, dims/2]
    std::vector<int> first; ///< as Rotate::first
};
RotaryTables rotary_tables(const model::RotarySpec& rotary, const Batch& batch);

/// Whether the first tokens of a row are rotated otherwise once it has grown from `before` tokens to `after`,
/// so that keys in a cache no longer hold.
bool rotation_changes(const model::ModelSpec& spec, int before, int after);

} // namespace vitrine::run

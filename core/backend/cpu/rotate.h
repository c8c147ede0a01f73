#pragma once
#include "core/run/plan.h"

namespace vitrine::backend::cpu {

/// Rotates one head of one token, `width` channels, by a line of the tables, [op.dims / 2] each: what
/// run::Rotate does to every one of them, with the same bits.
template <typename S>
void rotate_head(const run::Rotate& op, const float* cos, const float* sin, int width, const S* x, S* y);

} // namespace vitrine::backend::cpu

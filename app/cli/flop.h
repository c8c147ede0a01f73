#pragma once
#include <cstdint>

#include "core/model/model.h"
#include "core/run/plan.h"

namespace vitrine::cli {

/// Multiplications and additions of the matrix products and attention in a plan: what is computed, so not
/// what rows share, nor keys that no query sees.
std::uint64_t flop_of(const run::Plan& plan, const model::Model& model);

} // namespace vitrine::cli

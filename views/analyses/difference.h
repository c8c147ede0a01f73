#pragma once
#include <vector>

#include "core/base/result.h"
#include "core/engine/results.h"

namespace vitrine::views {

/// A − B of what an analysis gave for two runs, number by number; tables and texts are left out. A result is
/// named NAME_difference. out_of_range if their axes have different lengths; usage if there is no number.
Result<std::vector<engine::ResultValue>> difference_of(const std::vector<engine::ResultValue>& a,
                                                       const std::vector<engine::ResultValue>& b);

} // namespace vitrine::views

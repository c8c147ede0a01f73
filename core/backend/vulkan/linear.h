#pragma once
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

Status record(Execution& execution, const run::Linear& op);
Status record(Execution& execution, const run::HeadLinear& op);
Status record(Execution& execution, const run::HeadResult& op);

/// C [rows, N] = A [rows, K] · matrix + bias, bands of rows at a time where C is larger than a binding.
/// `a` and `c` have `a_row` and `c_row` vec4s between rows.
Status record_product(Execution& execution, Slice a, std::uint32_t a_row, const PackedMatrix& matrix,
                      Slice bias, bool has_bias, Slice c, std::uint32_t c_row, std::uint32_t rows);

} // namespace vitrine::backend::vulkan

#pragma once
// Matrices that stay in the file's element type are widened to float32 panels just before a product.
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

/// Columns that are widened at once: all of a matrix that is stored as panels, else what fits the scratch
/// memory for panels; a multiple of every kernel's tile.
std::uint32_t widened_at_once(const Execution& execution, const PackedMatrix& matrix);

/// The panels of columns [first, first + count) of the padded matrix, as far as there are any: where they are
/// stored, or in scratch memory that the next call uses again. Of stored panels only the whole can be asked
/// for.
Result<Slice> panels_of(Execution& execution, const PackedMatrix& matrix, std::uint32_t first,
                        std::uint32_t count);

} // namespace vitrine::backend::vulkan

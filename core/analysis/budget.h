#pragma once

#include <cstdint>

namespace vitrine::analysis {

/// Bytes of captures and logits that one need of an analysis may ask for; where rows want more, it asks
/// again.
inline constexpr std::int64_t bytes_of_one_need = std::int64_t{256} << 20;

} // namespace vitrine::analysis

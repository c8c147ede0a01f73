// Quantised blocks into S. Compiled without contraction: the bits are those of the formats' definitions.
#include <algorithm>

#include "core/backend/cpu/width/loops.h"
#include "core/base/quantized_blocks.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

template <typename S>
void widen_blocks(DType from, const std::byte* run, std::int64_t first, std::int64_t count, S* out) {
    const blocks::Widen widen_block = blocks::widen_of(from);
    const std::int64_t elements = block_elements(from);
    const auto* block = reinterpret_cast<const std::uint8_t*>(run) +
                        static_cast<std::size_t>(first / elements) * block_bytes(from);
    std::int64_t skip = first % elements;
    float wide[blocks::most_elements];
    while (count > 0) {
        const std::int64_t part = std::min(elements - skip, count);
        if constexpr (sizeof(S) == sizeof(float)) {
            if (part == elements) {
                widen_block(block, out);
                out += part, count -= part, block += block_bytes(from);
                continue;
            }
        }
        widen_block(block, wide);
        for (std::int64_t i = 0; i < part; ++i)
            out[i] = static_cast<S>(wide[skip + i]);
        skip = 0;
        out += part, count -= part, block += block_bytes(from);
    }
}

template void widen_blocks(DType, const std::byte*, std::int64_t, std::int64_t, float*);
template void widen_blocks(DType, const std::byte*, std::int64_t, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH

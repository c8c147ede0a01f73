// Quantised blocks into S. Compiled without contraction: the bits are those of the formats' definitions.
#include <algorithm>

#include "core/backend/cpu/width/loops.h"
#include "core/base/quantized_blocks.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

/// The type is a constant, so that the loop over blocks has no call in it.
template <DType type, blocks::Widen widen_block, typename S>
void widen_run(const std::byte* run, std::int64_t first, std::int64_t count, S* out) {
    const std::int64_t elements = block_elements(type);
    const auto bytes = static_cast<std::int64_t>(block_bytes(type));
    const auto* block = reinterpret_cast<const std::uint8_t*>(run) + first / elements * bytes;
    std::int64_t skip = first % elements;
    float wide[blocks::most_elements];
    while (count > 0) {
        const std::int64_t part = std::min(elements - skip, count);
        if constexpr (sizeof(S) == sizeof(float)) {
            if (part == elements) {
                widen_block(block, out);
                out += part, count -= part, block += bytes;
                continue;
            }
        }
        widen_block(block, wide);
        for (std::int64_t i = 0; i < part; ++i)
            out[i] = static_cast<S>(wide[skip + i]);
        skip = 0;
        out += part, count -= part, block += bytes;
    }
}

} // namespace

template <typename S>
void widen_blocks(DType from, const std::byte* run, std::int64_t first, std::int64_t count, S* out) {
    switch (from) {
    case DType::q4_0:
        return widen_run<DType::q4_0, blocks::q4_0>(run, first, count, out);
    case DType::q4_1:
        return widen_run<DType::q4_1, blocks::q4_1>(run, first, count, out);
    case DType::q5_0:
        return widen_run<DType::q5_0, blocks::q5_0>(run, first, count, out);
    case DType::q5_1:
        return widen_run<DType::q5_1, blocks::q5_1>(run, first, count, out);
    case DType::q8_0:
        return widen_run<DType::q8_0, blocks::q8_0>(run, first, count, out);
    case DType::q2_k:
        return widen_run<DType::q2_k, blocks::q2_k>(run, first, count, out);
    case DType::q3_k:
        return widen_run<DType::q3_k, blocks::q3_k>(run, first, count, out);
    case DType::q4_k:
        return widen_run<DType::q4_k, blocks::q4_k>(run, first, count, out);
    case DType::q5_k:
        return widen_run<DType::q5_k, blocks::q5_k>(run, first, count, out);
    case DType::q6_k:
        return widen_run<DType::q6_k, blocks::q6_k>(run, first, count, out);
    default:
        return; // callers ask in_blocks() first
    }
}

template void widen_blocks(DType, const std::byte*, std::int64_t, std::int64_t, float*);
template void widen_blocks(DType, const std::byte*, std::int64_t, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH

#pragma once
#include <cstdint>

#include "core/backend/vulkan/caps.h"
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

/// How many vec4s the keys and values of one batch row take in panels (matmul.h): keys are [d_head, keys]
/// matrices, values [keys, d_head] matrices, one a key head.
struct PanelShape {
    std::uint32_t kv_heads = 0;
    std::uint32_t d4 = 0;      ///< vec4s of a head
    std::uint32_t k_head = 0;  ///< between the heads of keys
    std::uint32_t v_panel = 0; ///< between the panels of values
    std::uint32_t v_head = 0;  ///< between the heads of values

    std::uint32_t spare = 0; ///< panels behind the last, which a wide tile may read

    std::uint32_t keys() const { return kv_heads * k_head; }   ///< of one batch row
    std::uint32_t values() const { return kv_heads * v_head; } ///< of one batch row
    std::uint64_t key_bytes(std::uint64_t vec4s) const {
        return 16 * (vec4s + std::uint64_t{spare} * panel_keys);
    }
    std::uint64_t value_bytes(std::uint64_t vec4s) const {
        return 16 * (vec4s + std::uint64_t{spare} * v_panel);
    }
    std::uint32_t panel_keys = 0; ///< vec4s between the panels of keys
};
PanelShape panel_shape(const DeviceCaps& caps, int kv_heads, int d_head, int keys);

Status record(Execution& execution, const run::CacheAppend& op);
Status record(Execution& execution, const run::Attention& op);
Status record(Execution& execution, const run::AttentionScores& op);
Status record(Execution& execution, const run::AttentionPattern& op);
Status record(Execution& execution, const run::SigmoidPattern& op);
Status record(Execution& execution, const run::AttentionMix& op);

} // namespace vitrine::backend::vulkan

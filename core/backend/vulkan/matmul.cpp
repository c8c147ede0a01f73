#include "core/backend/vulkan/matmul.h"

#include <fmt/format.h>

namespace vitrine::backend::vulkan {

namespace {

// Software devices run a subgroup as one vector instruction; 8 and 16 lanes are what Mesa has.
bool by_registers(const DeviceCaps& caps) {
    return caps.software() && (caps.subgroup == 8 || caps.subgroup == 16);
}

MatmulKernel shared(std::uint32_t size) { return {fmt::format("shared{}", size), "SS", size, size, false}; }

} // namespace

std::uint32_t panel_width(const DeviceCaps& caps) { return by_registers(caps) ? 4 * caps.subgroup : 32; }

std::uint32_t column_padding(const DeviceCaps& caps) { return by_registers(caps) ? panel_width(caps) : 128; }

Result<MatmulKernel> pick_matmul(const DeviceCaps& caps, std::int64_t m, std::int64_t n, std::int64_t /*k*/,
                                 Precision precision) {
    if (precision == Precision::mixed)
        return fail(Code::unsupported,
                    "This build computes in float32 only on Vulkan; use --precision exact, or --device cpu.");
    if (by_registers(caps)) {
        const std::uint32_t rows = m == 1 ? 1 : m <= 4 ? 4 : 16;
        return MatmulKernel{fmt::format("registers{}x{}", caps.subgroup, rows), "TT", rows, panel_width(caps),
                            true};
    }
    // The large tile does more with each load, once there are enough of them to fill the device.
    const bool large = caps.shared_bytes >= 32768 && ((m + 127) / 128) * ((n + 127) / 128) >= 96;
    return shared(large ? 128 : 64);
}

} // namespace vitrine::backend::vulkan

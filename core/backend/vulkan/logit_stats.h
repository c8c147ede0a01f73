#pragma once
#include "core/backend/vulkan/execution.h"

namespace vitrine::backend::vulkan {

/// Where the kernel leaves the statistics of a plan's LogitStats.
struct StatsOnDevice {
    const run::LogitStats* op = nullptr;
    int vocab = 0;
    Buffer buffer;          ///< two vec4s a row, then (id, logit) pairs
    std::uint64_t tops = 0; ///< offset of the pairs in bytes
};

Result<StatsOnDevice> record(Execution& execution, const run::LogitStats& op);

/// After the device is done: statistics in double precision from the kernel's sums.
std::vector<LogitRow> read_stats(const StatsOnDevice& stats);

} // namespace vitrine::backend::vulkan

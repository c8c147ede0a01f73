#include "core/backend/vulkan/model.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

#include "core/backend/vulkan/attention.h"
#include "core/backend/vulkan/cache.h"
#include "core/backend/vulkan/edit.h"
#include "core/backend/vulkan/elementwise.h"
#include "core/backend/vulkan/linear.h"
#include "core/backend/vulkan/logit_stats.h"
#include "core/backend/vulkan/norm.h"

namespace vitrine::backend::vulkan {

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

bool appends(const run::Plan& plan) {
    return std::any_of(plan.ops.begin(), plan.ops.end(),
                       [](const run::Op& op) { return std::holds_alternative<run::CacheAppend>(op); });
}

Status check_cache(const run::Plan& plan, const PanelCache* cache) {
    if (!cache) return fail(Code::internal, "A plan that appends to a cache was run without one.");
    if (plan.batch.rows() != cache->rows())
        return fail(Code::internal, fmt::format("A plan of {} rows was run with a cache of {} rows.",
                                                plan.batch.rows(), cache->rows()));
    for (int row = 0; row < plan.batch.rows(); ++row) {
        if (plan.batch.past[static_cast<std::size_t>(row)] != cache->length(row))
            return fail(Code::internal,
                        fmt::format("Row {} of a plan continues after {} tokens and its cache holds {}.", row,
                                    plan.batch.past[static_cast<std::size_t>(row)], cache->length(row)));
        if (plan.batch.keys(row) > cache->capacity())
            return fail(Code::out_of_range,
                        fmt::format("Row {} grows to {} tokens and its cache has room for {}.", row,
                                    plan.batch.keys(row), cache->capacity()));
    }
    return {};
}

/// Records each op; the statistics' buffer is kept for reading.
struct Dispatcher {
    Execution& execution;
    std::optional<StatsOnDevice>& stats;

    template <typename Op>
    Status operator()(const Op& op) const {
        return record(execution, op);
    }
    Status operator()(const run::LogitStats& op) const {
        VITRINE_ASSIGN(stats, record(execution, op));
        return {};
    }
};

} // namespace

Limits VulkanModel::limits() const {
    Limits limits;
    limits.value_bytes = device_->caps().max_storage_range;
    const std::uint64_t memory = device_->caps().memory_bytes;
    const std::uint64_t free = memory > weights_.bytes() ? memory - weights_.bytes() : 0;
    limits.scratch_bytes = std::max<std::uint64_t>(free / 2, std::uint64_t{64} << 20);
    limits.rows = 65535 / std::max(model_.spec.heads, 1); // attention's work-groups: rows times heads
    return limits;
}

Result<std::unique_ptr<KvCache>> VulkanModel::make_cache(int rows, int capacity) {
    VITRINE_ASSIGN(auto cache, PanelCache::create(*device_, model_.spec, rows, capacity));
    return std::unique_ptr<KvCache>(std::move(cache));
}

Result<Outputs> VulkanModel::execute(const run::Plan& plan, KvCache* given, const CancelToken& cancel,
                                     const Progress& progress) {
    auto* cache = static_cast<PanelCache*>(given);
    const bool grows = appends(plan);
    if (grows) VITRINE_TRY(check_cache(plan, cache));

    memory_.uploads.reset();
    if (memory_.arena.bytes()) memory_.arena.buffer().drop_views();
    if (memory_.scratch.bytes()) memory_.scratch.buffer().drop_views();
    if (memory_.panels.bytes()) memory_.panels.buffer().drop_views();
    Outputs outputs;
    std::optional<StatsOnDevice> stats;
    {
        Execution execution(*device_, weights_, memory_, plan, cache, cancel);
        VITRINE_TRY(execution.prepare());
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < plan.ops.size(); ++i) {
            VITRINE_TRY(std::visit(Dispatcher{execution, stats}, plan.ops[i]));
            if (execution.recorder.failed()) break;
            if (progress)
                progress(static_cast<double>(i + 1) / static_cast<double>(plan.ops.size()),
                         run::op_name(plan.ops[i]));
        }
        VITRINE_TRY(execution.recorder.finish());
        outputs.device_ms = milliseconds_since(start);
        VITRINE_TRY(execution.captures.collect());
        outputs.captures = execution.captures.take();
    }
    memory_.arena.release();
    memory_.scratch.release();
    memory_.panels.release();
    memory_.staging.release();
    if (stats) outputs.logit_rows = read_stats(*stats);
    outputs.scratch_bytes = memory_.arena.bytes() + memory_.scratch.bytes() + memory_.panels.bytes() +
                            memory_.staging.bytes() + memory_.uploads.bytes();
    if (grows)
        for (int row = 0; row < plan.batch.rows(); ++row)
            cache->set_length(row, plan.batch.keys(row));
    return outputs;
}

} // namespace vitrine::backend::vulkan

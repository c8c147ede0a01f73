#include "core/backend/vulkan/logit_stats.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/backend/vulkan/elementwise.h"
#include "core/backend/vulkan/linear.h"

namespace vitrine::backend::vulkan {

namespace {

constexpr std::uint64_t most_logits = std::uint64_t{64} << 20; // bytes of logits at once

struct Push {
    std::uint32_t pitch, vocab, segment, top, first, rows, watched;
};

struct GatherPush {
    std::uint32_t items, row, repeat, mapped;
};

void record_kernel(Execution& execution, Slice logits, std::uint32_t rows, const Push& push, Slice targets,
                   const StatsOnDevice& stats) {
    execution.recorder.dispatch(
        {"logit_stats", "TSSS", sizeof push, {execution.device.caps().subgroup}, true},
        {logits, targets, {&stats.buffer, 0, stats.tops}, {&stats.buffer, stats.tops, 0}}, push, {rows, 1, 1},
        60.0 * rows * push.vocab);
}

} // namespace

Result<StatsOnDevice> record(Execution& execution, const run::LogitStats& op) {
    const auto rows = static_cast<std::uint32_t>(op.rows.size());
    StatsOnDevice stats;
    stats.op = &op;
    if (rows == 0) return stats;
    const auto vocab =
        static_cast<std::uint32_t>(op.logits != run::absent ? execution.value(op.logits).layout->width
                                                            : execution.weights.model().at(op.weight).cols);
    stats.vocab = static_cast<int>(vocab);
    const std::uint32_t pitch = groups_of_four(vocab);
    const std::uint32_t lanes = execution.device.caps().subgroup;
    const std::uint32_t segment = std::max(64U, (pitch + 1023) / 1024);
    stats.tops = (std::uint64_t{rows} * 32 + 255) / 256 * 256;
    const std::uint32_t top = std::min(static_cast<std::uint32_t>(std::max(op.top, 0)), vocab);
    const auto watched = static_cast<std::uint32_t>(op.watch.size());
    VITRINE_ASSIGN(
        stats.buffer,
        Buffer::create(execution.device,
                       stats.tops + std::max<std::uint64_t>(std::uint64_t{rows} * (top + watched) * 8, 16),
                       Where::host));
    std::vector<std::int32_t> asked = op.targets;
    asked.insert(asked.end(), op.watch.begin(), op.watch.end());
    VITRINE_ASSIGN(const Slice targets, execution.upload(asked));
    Push push{pitch, vocab, (segment + lanes - 1) / lanes * lanes, top, 0, rows, watched};
    if (op.logits != run::absent) {
        record_kernel(execution, execution.value(op.logits).slice, rows, push, targets, stats);
        return stats;
    }

    VITRINE_ASSIGN(const PackedMatrix* matrix, execution.weights.matrix(op.weight, {}, {}));
    VITRINE_ASSIGN(const Slice bias, execution.bias(op.bias, 1));
    const Operand hidden = execution.value(op.hidden);
    const std::uint32_t d4 = hidden.layout->row();
    // Tiles of rows, a multiple of every kernel's, so that their number changes no bits.
    const std::uint64_t fitting = most_logits / (std::uint64_t{pitch} * 16) / 64 * 64;
    const auto tile =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(std::max<std::uint64_t>(fitting, 16), rows));
    const std::uint64_t logit_bytes = (std::uint64_t{tile} * pitch * 16 + 255) / 256 * 256;
    VITRINE_ASSIGN(const Slice scratch, execution.scratch(logit_bytes + std::uint64_t{tile} * d4 * 16));
    const Slice selected{scratch.buffer, logit_bytes, std::uint64_t{tile} * d4 * 16};
    for (std::uint32_t first = 0; first < rows; first += tile) {
        const std::uint32_t count = std::min(tile, rows - first);
        const std::vector<std::uint32_t> list(op.rows.begin() + first, op.rows.begin() + first + count);
        VITRINE_ASSIGN(const Slice indices, execution.upload(list));
        const GatherPush gather{count * d4, d4, 1, 1};
        execution.recorder.dispatch({"gather", "TSS", sizeof gather, {}}, {hidden.slice, indices, selected},
                                    gather, Execution::grid(gather.items), 8.0 * gather.items);
        VITRINE_TRY(record_product(execution, selected, d4, *matrix, bias, op.bias != model::no_weight,
                                   {scratch.buffer, 0, logit_bytes}, pitch, count));
        const Slice logits{scratch.buffer, 0, logit_bytes};
        if (op.scale != 1.0F)
            record_pointwise(execution, run::PointwiseKind::scale, op.scale, logits, logits, count * pitch);
        if (op.cap != 0.0F)
            record_pointwise(execution, run::PointwiseKind::cap, op.cap, logits, logits, count * pitch);
        push.first = first;
        record_kernel(execution, logits, count, push, targets, stats);
    }
    return stats;
}

std::vector<LogitRow> read_stats(const StatsOnDevice& stats) {
    std::vector<LogitRow> rows(stats.op->rows.size());
    if (rows.empty()) return rows;
    const auto top = static_cast<std::size_t>(std::clamp(stats.op->top, 0, stats.vocab));
    const auto* sums = reinterpret_cast<const float*>(stats.buffer.mapped());
    const auto* tops = reinterpret_cast<const std::uint32_t*>(stats.buffer.mapped() + stats.tops);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // sums: maximum m, S = Σ e^(x−m), E = Σ (x−m) e^(x−m) / S, V = Σ (x−m−E)² e^(x−m) / S; the target's
        // logit
        const float* row = sums + 8 * i;
        const double log_sum = std::log(static_cast<double>(row[1]));
        rows[i].logsumexp = static_cast<float>(row[0] + log_sum);
        rows[i].entropy = static_cast<float>(log_sum - row[2]);
        rows[i].varentropy = row[3];
        rows[i].nll = stats.op->targets[i] < 0 ? std::numeric_limits<float>::quiet_NaN()
                                               : static_cast<float>(row[0] + log_sum - row[4]);
        const std::uint32_t* own = tops + 2 * i * (top + stats.op->watch.size());
        for (std::size_t t = 0; t < top; ++t)
            rows[i].top.push_back(
                {static_cast<std::int32_t>(own[2 * t]), std::bit_cast<float>(own[2 * t + 1])});
        for (std::size_t w = 0; w < stats.op->watch.size(); ++w)
            rows[i].watched.push_back(std::bit_cast<float>(own[2 * (top + w) + 1]));
    }
    return rows;
}

} // namespace vitrine::backend::vulkan

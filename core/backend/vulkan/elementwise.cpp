// Ops of one kernel over a flat array, one invocation four elements.
#include "core/backend/vulkan/elementwise.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/backend/vulkan/matmul.h"

namespace vitrine::backend::vulkan {

namespace {

std::uint32_t items_of(const Operand& operand) { return static_cast<std::uint32_t>(operand.layout->size); }

/// The same by the host, from the rows of the file.
Status upload_rows(Execution& execution, model::WeightId id, const std::vector<std::uint32_t>& ids,
                   float scale, const Operand& out) {
    const model::Weight& table = execution.weights.model().at(id);
    Tensor rows({static_cast<std::int64_t>(ids.size()), table.cols});
    for (std::size_t n = 0; n < ids.size(); ++n) {
        const Tensor row = widened(row_of(table, ids[n]));
        std::transform(row.data.begin(), row.data.end(),
                       rows.data.begin() + static_cast<std::ptrdiff_t>(n) * table.cols,
                       [scale](float x) { return x * scale; });
    }
    const std::uint64_t bytes = out.layout->bytes();
    if (bytes == 0) return {};
    VITRINE_ASSIGN(const Slice slice, execution.memory.uploads.reserve(bytes));
    pad(*out.layout, rows.data, {reinterpret_cast<float*>(slice.buffer->mapped() + slice.offset), bytes / 4});
    execution.recorder.copy({slice.buffer, slice.offset, bytes}, {out.slice.buffer, out.slice.offset, bytes});
    return {};
}

/// out[n] = table[ids[n]] · scale.
Status record_lookup(Execution& execution, model::WeightId id, const std::vector<std::uint32_t>& ids,
                     float scale, run::ValueId value) {
    struct Push {
        std::uint32_t items, row, k, panel4, by_column;
        float scale;
    };
    const Operand out = execution.value(value);
    VITRINE_ASSIGN(const Table table, execution.weights.table(id));
    if (table.matrix == nullptr) return upload_rows(execution, id, ids, scale, out);
    VITRINE_ASSIGN(const Slice list, execution.upload(ids));
    const Push push{items_of(out),        out.layout->row(),
                    4 * table.matrix->k4, panel_width(execution.device.caps()) / 4,
                    table.by_column,      scale};
    execution.recorder.dispatch({"embed", "TSS", sizeof push, {}}, {{&table.matrix->buffer}, list, out.slice},
                                push, Execution::grid(push.items), 16.0 * push.items);
    return {};
}

/// out[i] = in[rows[i]], each row `repeat` times; every row in order without `rows`.
Status record_gather(Execution& execution, run::ValueId in_id, const std::vector<std::uint32_t>* rows,
                     std::uint32_t repeat, run::ValueId out_id) {
    struct Push {
        std::uint32_t items, row, repeat, mapped;
    };
    const Operand in = execution.value(in_id);
    const Operand out = execution.value(out_id);
    Slice list = execution.unused();
    if (rows) {
        VITRINE_ASSIGN(list, execution.upload(*rows));
    }
    const Push push{items_of(out), in.layout->row(), repeat, rows != nullptr};
    execution.recorder.dispatch({"gather", "TSS", sizeof push, {}}, {in.slice, list, out.slice}, push,
                                Execution::grid(push.items), 8.0 * push.items);
    return {};
}

} // namespace

Status record(Execution& execution, const run::Constant& op) {
    const Operand out = execution.value(op.out);
    const Tensor& source = *execution.plan.constants[static_cast<std::size_t>(op.source)];
    const std::uint64_t bytes = out.layout->bytes();
    if (bytes == 0) return {};
    VITRINE_ASSIGN(const Slice slice, execution.memory.uploads.reserve(bytes));
    pad(*out.layout, source.data,
        {reinterpret_cast<float*>(slice.buffer->mapped() + slice.offset), bytes / 4});
    execution.recorder.copy({slice.buffer, slice.offset, bytes}, {out.slice.buffer, out.slice.offset, bytes});
    return {};
}

Status record(Execution& execution, const run::Embed& op) {
    std::vector<std::uint32_t> ids;
    for (const std::int32_t token : execution.plan.batch_of(op.out).tokens)
        ids.push_back(static_cast<std::uint32_t>(token));
    return record_lookup(execution, op.table, ids, op.scale, op.out);
}

Status record(Execution& execution, const run::PositionEmbed& op) {
    const run::Batch& batch = execution.plan.batch_of(op.out);
    std::vector<std::uint32_t> ids;
    for (int n = 0; n < batch.size(); ++n)
        ids.push_back(static_cast<std::uint32_t>(batch.position(n) + op.offset));
    return record_lookup(execution, op.table, ids, 1, op.out);
}

Status record(Execution& execution, const run::Add& op) {
    const Operand out = execution.value(op.out);
    const std::uint32_t items = items_of(out);
    execution.recorder.dispatch({"add", "TTS", sizeof items, {}},
                                {execution.value(op.a).slice, execution.value(op.b).slice, out.slice}, items,
                                Execution::grid(items), 8.0 * items);
    return {};
}

Status record(Execution& execution, const run::Repeat& op) {
    return record_gather(execution, op.in, nullptr, execution.value(op.out).layout->heads, op.out);
}

Status record(Execution& execution, const run::Select& op) {
    const std::vector<std::uint32_t> rows(op.rows.begin(), op.rows.end());
    return record_gather(execution, op.in, &rows, 1, op.out);
}

Status record(Execution& execution, const run::SumHeads& op) {
    struct Push {
        std::uint32_t items, row, heads, has_bias;
    };
    const Operand in = execution.value(op.in);
    const Operand out = execution.value(op.out);
    VITRINE_ASSIGN(const Slice bias, execution.bias(op.bias, 1));
    const Push push{items_of(out), out.layout->row(), in.layout->heads, op.bias != model::no_weight};
    execution.recorder.dispatch({"sum_heads", "TTS", sizeof push, {}}, {in.slice, bias, out.slice}, push,
                                Execution::grid(push.items), 4.0 * push.items * (push.heads + 1));
    return {};
}

Status record(Execution& execution, const run::Activate& op) {
    struct Push {
        std::uint32_t items, has_factor;
    };
    const Operand out = execution.value(op.out);
    const Push push{items_of(out), op.factor != run::absent};
    const Slice factor = op.factor != run::absent ? execution.value(op.factor).slice : execution.unused();
    execution.recorder.dispatch({"activate", "TTS", sizeof push, {static_cast<std::uint32_t>(op.kind)}},
                                {execution.value(op.in).slice, factor, out.slice}, push,
                                Execution::grid(push.items), 80.0 * push.items);
    return {};
}

void record_pointwise(Execution& execution, run::PointwiseKind kind, float x, Slice in, Slice out,
                      std::uint32_t items) {
    struct Push {
        std::uint32_t items;
        float by;
    };
    const Push push{items, x};
    execution.recorder.dispatch({"pointwise", "TS", sizeof push, {static_cast<std::uint32_t>(kind)}},
                                {in, out}, push, Execution::grid(items),
                                (kind == run::PointwiseKind::cap ? 80.0 : 8.0) * items);
}

Status record(Execution& execution, const run::Pointwise& op) {
    const Operand out = execution.value(op.out);
    record_pointwise(execution, op.kind, op.x, execution.value(op.in).slice, out.slice, items_of(out));
    return {};
}

Status record(Execution& execution, const run::Rotate& op) {
    struct Push {
        std::uint32_t items, head, heads, dims, angles, interleaved;
    };
    const run::Batch& batch = execution.plan.batch_of(op.out);
    const int part = execution.plan.values[static_cast<std::size_t>(op.out)].part;
    const std::uint32_t angles = groups_of_four(op.dims / 2);
    const RotationKey key{op.cos, op.sin, op.first, op.last, part};
    auto tables = execution.rotations.find(key);
    if (tables == execution.rotations.end()) {
        // The rows of the batch's positions only: a long context's whole table would be copied each run.
        const auto gathered = [&](run::ConstantId id) {
            const Tensor& table = *execution.plan.constants[static_cast<std::size_t>(id)];
            const auto half = static_cast<std::size_t>(op.dims / 2);
            std::vector<float> rows(static_cast<std::size_t>(batch.size()) * angles * 4);
            for (int n = 0; n < batch.size(); ++n)
                std::copy_n(
                    table.data.begin() + static_cast<std::ptrdiff_t>(run::table_line(op, batch, n) * half),
                    half,
                    rows.begin() +
                        static_cast<std::ptrdiff_t>(std::size_t{4} * angles * static_cast<std::size_t>(n)));
            return rows;
        };
        VITRINE_ASSIGN(const Slice cosines, execution.upload(gathered(op.cos)));
        VITRINE_ASSIGN(const Slice sines, execution.upload(gathered(op.sin)));
        tables = execution.rotations.emplace(key, std::pair{cosines, sines}).first;
    }
    const Operand out = execution.value(op.out);
    const Push push{items_of(out), out.layout->head(), out.layout->heads, static_cast<std::uint32_t>(op.dims),
                    angles,        op.interleaved};
    execution.recorder.dispatch(
        {"rotate", "TTTS", sizeof push, {}},
        {execution.value(op.in).slice, tables->second.first, tables->second.second, out.slice}, push,
        Execution::grid(push.items), 40.0 * push.items);
    return {};
}

Status record(Execution& execution, const run::Capture& op) {
    const Operand value = execution.value(op.value);
    return execution.captures.capture(value.slice, *value.layout, op.slot);
}

} // namespace vitrine::backend::vulkan

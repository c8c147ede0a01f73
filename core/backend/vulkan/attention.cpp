#include "core/backend/vulkan/attention.h"

#include <algorithm>
#include <array>

#include "core/backend/vulkan/cache.h"
#include "core/backend/vulkan/matmul.h"

namespace vitrine::backend::vulkan {

namespace {

constexpr std::uint64_t most_scratch = std::uint64_t{48} << 20; // bytes of scores at once

/// As in shaders/attention.glsl.
struct Row {
    std::uint32_t start, queries, keys, past;
    std::uint32_t score_base, pattern_base, pair_head, pitch;
    std::uint32_t k_base, k_head, v_base, v_head, v_panel;
};

struct PackPush {
    std::uint32_t kv_heads, d4, panel4;
};

struct ScoresPush {
    std::uint32_t heads, head_begin, all_heads, group, d4, window;
    float scale;
    std::uint32_t sparse;
    float cap;
    std::uint32_t bias_pitch;
    std::uint32_t stream_window, sinks;
    std::array<std::uint32_t, 4> streaming;
};

struct PatternPush {
    std::uint32_t heads, causal, window, tile;
};

struct MixPush {
    std::uint32_t heads, head_begin, all_heads, group, d4, window, causal;
};

/// Keys and values in panels, and the batch rows that lie in them.
struct Panels {
    Slice keys, values;
    PanelShape shape;
    std::vector<Row> rows;
};

/// Batch rows and heads that one set of dispatches covers.
struct Chunk {
    std::size_t row_begin, row_end;
    std::uint32_t head_begin, heads;
};

std::vector<Row> rows_of(const run::Batch& batch) {
    std::vector<Row> rows;
    for (int r = 0; r < batch.rows(); ++r) {
        Row row{};
        row.start = static_cast<std::uint32_t>(batch.row_start[static_cast<std::size_t>(r)]);
        row.queries = static_cast<std::uint32_t>(batch.queries(r));
        row.keys = static_cast<std::uint32_t>(batch.keys(r));
        row.past = static_cast<std::uint32_t>(batch.past[static_cast<std::size_t>(r)]);
        row.pitch = groups_of_four(row.keys);
        row.pair_head = row.queries * row.pitch;
        rows.push_back(row);
    }
    return rows;
}

std::uint32_t most_queries(std::span<const Row> rows) {
    std::uint32_t most = 0;
    for (const Row& row : rows)
        most = std::max(most, row.queries);
    return most;
}

std::uint32_t most_keys(std::span<const Row> rows) {
    std::uint32_t most = 0;
    for (const Row& row : rows)
        most = std::max(most, row.keys);
    return most;
}

double pairs_of(std::span<const Row> rows) {
    double sum = 0;
    for (const Row& row : rows)
        sum += static_cast<double>(row.queries) * row.keys;
    return sum;
}

void place(std::vector<Row>& rows, std::size_t r, const PanelShape& shape, std::uint32_t k_base,
           std::uint32_t v_base) {
    rows[r].k_base = k_base;
    rows[r].k_head = shape.k_head;
    rows[r].v_base = v_base;
    rows[r].v_head = shape.v_head;
    rows[r].v_panel = shape.v_panel;
}

/// `rows`: those of k and v, which hold the keys of the panels' rows.
Status write_panels(Execution& execution, const Panels& panels, const std::vector<Row>& rows, run::ValueId k,
                    run::ValueId v) {
    const std::uint32_t panel4 = panel_width(execution.device.caps()) / 4;
    const PackPush push{panels.shape.kv_heads, panels.shape.d4, panel4};
    VITRINE_ASSIGN(const Slice table, execution.upload(rows));
    const std::uint32_t items = most_queries(rows) + 6; // whole groups of four before and behind
    const auto z = static_cast<std::uint32_t>(rows.size()) * push.kv_heads;
    const double work = static_cast<double>(items) * z * push.d4 * 16;
    execution.recorder.begin_parallel();
    if (k != run::absent)
        execution.recorder.dispatch({"keys", "TSS", sizeof push, {}},
                                    {execution.value(k).slice, table, panels.keys}, push,
                                    {(items / 4 + 64) / 64, push.d4, z}, work);
    if (v != run::absent)
        execution.recorder.dispatch({"values", "TSS", sizeof push, {}},
                                    {execution.value(v).slice, table, panels.values}, push,
                                    {(items * push.d4 + 63) / 64, 1, z}, work);
    execution.recorder.end_parallel();
    return {};
}

/// The panels of a layer's cache, or of this plan's own keys and values in scratch memory (`extra` bytes more
/// of it stand behind `rest`), for the rows of `queries`.
Result<Panels> panels_for(Execution& execution, const run::AttentionSpec& spec, const run::Batch& queries,
                          run::ValueId k, run::ValueId v, std::uint64_t extra, Slice& rest) {
    Panels panels;
    panels.rows = rows_of(queries);
    if (spec.layer != run::absent) {
        const PanelCache& cache = *execution.cache;
        panels.shape = cache.shape();
        panels.keys = {&cache.keys(spec.layer)};
        panels.values = {&cache.values(spec.layer)};
        for (std::size_t r = 0; r < panels.rows.size(); ++r)
            place(panels.rows, r, panels.shape, static_cast<std::uint32_t>(r) * panels.shape.keys(),
                  static_cast<std::uint32_t>(r) * panels.shape.values());
        VITRINE_ASSIGN(rest, execution.scratch(std::max<std::uint64_t>(extra, 16)));
        return panels;
    }
    std::uint64_t keys = 0;
    std::uint64_t values = 0;
    std::vector<Row> sources = rows_of(execution.plan.batch_of(k == run::absent ? v : k));
    for (std::size_t r = 0; r < panels.rows.size(); ++r) {
        panels.shape = panel_shape(execution.device.caps(), spec.kv_heads, spec.d_head,
                                   static_cast<int>(panels.rows[r].keys));
        place(panels.rows, r, panels.shape, static_cast<std::uint32_t>(keys),
              static_cast<std::uint32_t>(values));
        place(sources, r, panels.shape, static_cast<std::uint32_t>(keys), static_cast<std::uint32_t>(values));
        keys += panels.shape.keys();
        values += panels.shape.values();
    }
    // What a wide tile may read behind the last panel is as long as the longest row's panels.
    const PanelShape longest = panel_shape(execution.device.caps(), spec.kv_heads, spec.d_head,
                                           static_cast<int>(most_keys(panels.rows)));
    const auto aligned = [](std::uint64_t bytes) { return (bytes + 255) / 256 * 256; };
    const std::uint64_t key_bytes = k == run::absent ? 0 : aligned(longest.key_bytes(keys));
    const std::uint64_t value_bytes = v == run::absent ? 0 : aligned(longest.value_bytes(values));
    VITRINE_ASSIGN(const Slice scratch,
                   execution.scratch(key_bytes + value_bytes + std::max<std::uint64_t>(extra, 16)));
    panels.keys = {scratch.buffer, 0, std::max<std::uint64_t>(key_bytes, 16)};
    panels.values = {scratch.buffer, key_bytes, std::max<std::uint64_t>(value_bytes, 16)};
    rest = {scratch.buffer, key_bytes + value_bytes, std::max<std::uint64_t>(extra, 16)};
    VITRINE_TRY(write_panels(execution, panels, sources, k, v));
    return panels;
}

std::vector<Chunk> chunks_of(std::span<const Row> rows, std::uint32_t heads) {
    std::vector<Chunk> chunks;
    for (std::size_t begin = 0; begin < rows.size();) {
        std::uint64_t bytes = std::uint64_t{16} * heads * rows[begin].pair_head;
        if (bytes > most_scratch) { // a long row: some heads at a time
            const auto step = static_cast<std::uint32_t>(
                std::max<std::uint64_t>(1, most_scratch / (std::uint64_t{16} * rows[begin].pair_head)));
            for (std::uint32_t head = 0; head < heads; head += step)
                chunks.push_back({begin, begin + 1, head, std::min(step, heads - head)});
            ++begin;
            continue;
        }
        std::size_t end = begin + 1;
        for (; end < rows.size(); ++end) {
            bytes += std::uint64_t{16} * heads * rows[end].pair_head;
            if (bytes > most_scratch) break;
        }
        chunks.push_back({begin, end, 0, heads});
        begin = end;
    }
    return chunks;
}

std::uint64_t chunk_bytes(std::span<const Row> rows, const Chunk& chunk) {
    std::uint64_t vec4s = 0;
    for (std::size_t r = chunk.row_begin; r < chunk.row_end; ++r)
        vec4s += std::uint64_t{chunk.heads} * rows[r].pair_head;
    return (vec4s * 16 + 255) / 256 * 256;
}

/// The part of a value of pairs that a chunk covers; sets the rows' bases within it.
Slice part_of(const Operand& pairs, const Chunk& chunk, std::span<Row> rows, std::uint32_t Row::*base) {
    const auto& blocks = pairs.layout->rows;
    const PairsRow& last = blocks[chunk.row_end - 1];
    const std::uint64_t begin =
        blocks[chunk.row_begin].base + std::uint64_t{chunk.head_begin} * blocks[chunk.row_begin].head();
    const std::uint64_t end = chunk.row_end - chunk.row_begin == 1
                                  ? begin + std::uint64_t{chunk.heads} * last.head()
                                  : last.base + std::uint64_t{chunk.heads} * last.head();
    const std::uint64_t aligned = begin / 16 * 16; // bindings start at multiples of 256 bytes
    for (std::size_t r = chunk.row_begin; r < chunk.row_end; ++r)
        rows[r - chunk.row_begin].*base = static_cast<std::uint32_t>(
            (r == chunk.row_begin ? begin : std::uint64_t{blocks[r].base}) - aligned);
    return {pairs.slice.buffer, pairs.slice.offset + aligned * 16, (end - aligned) * 16};
}

/// The same in scratch memory.
Slice scratch_part(Slice scratch, const Chunk& chunk, std::span<Row> rows, std::uint32_t Row::*base) {
    std::uint64_t at = 0;
    for (Row& row : rows) {
        row.*base = static_cast<std::uint32_t>(at);
        at += std::uint64_t{chunk.heads} * row.pair_head;
    }
    return {scratch.buffer, scratch.offset, std::max<std::uint64_t>(at * 16, 16)};
}

Result<MatmulKernel> kernel_for(const Execution& execution, std::span<const Row> rows) {
    // The small tile on GPUs: heads are narrow.
    return pick_matmul(execution.device.caps(), most_queries(rows), 64, 64, Precision::exact);
}

/// One chunk's rows, table and slices on their way through the kernels.
struct Step {
    Execution& execution;
    const run::AttentionSpec& spec;
    Chunk chunk;
    std::vector<Row> rows;
    Slice table, scores, pattern;

    std::uint32_t group() const { return static_cast<std::uint32_t>(spec.heads / spec.kv_heads); }
    std::uint32_t d4() const { return groups_of_four(spec.d_head); }
    std::uint32_t z() const { return static_cast<std::uint32_t>(rows.size()) * chunk.heads; }
    double work() const { return 2.0 * pairs_of(rows) * chunk.heads * 4 * d4(); }
};

/// [heads, keys padded to 4] on the device, copied once a plan.
Result<Slice> key_bias(Execution& execution, run::ConstantId id) {
    if (id == run::absent) return execution.unused();
    if (const auto found = execution.key_biases.find(id); found != execution.key_biases.end())
        return found->second;
    const Tensor& bias = *execution.plan.constants[static_cast<std::size_t>(id)];
    const auto keys = static_cast<std::size_t>(bias.shape[1]);
    const std::size_t pitch = std::size_t{4} * groups_of_four(bias.shape[1]);
    std::vector<float> padded(static_cast<std::size_t>(bias.shape[0]) * pitch);
    for (std::size_t head = 0; head * pitch < padded.size(); ++head)
        std::copy_n(bias.data.data() + head * keys, keys, padded.data() + head * pitch);
    VITRINE_ASSIGN(const Slice slice, execution.upload(padded));
    execution.key_biases.emplace(id, slice);
    return slice;
}

/// `sinks_only`: the scores of sinks outside the window, over those that are there.
Status record_scores(const Step& step, run::ValueId q, const Panels& panels, bool sparse, bool sinks_only) {
    VITRINE_ASSIGN(const MatmulKernel kernel, kernel_for(step.execution, step.rows));
    VITRINE_ASSIGN(const Slice bias, key_bias(step.execution, step.spec.key_bias));
    const bool biased = step.spec.key_bias != run::absent;
    const std::uint32_t bias_pitch =
        biased ? groups_of_four(
                     step.execution.plan.constants[static_cast<std::size_t>(step.spec.key_bias)]->shape[1])
               : 0;
    const ScoresPush push{.heads = step.chunk.heads,
                          .head_begin = step.chunk.head_begin,
                          .all_heads = static_cast<std::uint32_t>(step.spec.heads),
                          .group = step.group(),
                          .d4 = step.d4(),
                          .window = static_cast<std::uint32_t>(step.spec.window),
                          .scale = step.spec.scale,
                          .sparse = sparse,
                          .cap = step.spec.cap,
                          .bias_pitch = bias_pitch,
                          .stream_window = static_cast<std::uint32_t>(step.spec.stream_window),
                          .sinks = static_cast<std::uint32_t>(step.spec.sinks),
                          .streaming = step.spec.streaming};
    const std::uint32_t keys = sinks_only ? std::min(push.sinks, most_keys(step.rows)) : most_keys(step.rows);
    step.execution.recorder.dispatch(
        {"scores_" + kernel.variant,
         std::string(kernel.inputs) + "SST",
         sizeof push,
         {step.spec.cap != 0.0F, biased, step.spec.stream_window != 0, sinks_only},
         kernel.lock_step},
        {step.execution.value(q).slice, panels.keys, step.table, step.scores, bias}, push,
        {(keys + kernel.columns - 1) / kernel.columns,
         (most_queries(step.rows) + kernel.rows - 1) / kernel.rows, step.z()},
        step.work());
    return {};
}

/// All scores; those of sinks outside the window from `q_sinks` where there is one.
Status record_scores(const Step& step, run::ValueId q, run::ValueId q_sinks, const Panels& panels,
                     bool sparse) {
    VITRINE_TRY(record_scores(step, q, panels, sparse, false));
    if (q_sinks == run::absent) return {};
    return record_scores(step, q_sinks, panels, sparse, true);
}

Status record_pattern(const Step& step, bool causal) {
    VITRINE_ASSIGN(const MatmulKernel kernel, kernel_for(step.execution, step.rows));
    const PatternPush push{step.chunk.heads, causal, static_cast<std::uint32_t>(step.spec.window),
                           kernel.rows};
    step.execution.recorder.dispatch(
        {"pattern", "TSS", sizeof push, {step.execution.device.caps().subgroup}, true},
        {step.scores, step.table, step.pattern}, push, {most_queries(step.rows), 1, step.z()},
        20.0 * pairs_of(step.rows) * step.chunk.heads);
    return {};
}

Status record_mix(const Step& step, const Panels& panels, run::ValueId out, bool causal) {
    VITRINE_ASSIGN(const MatmulKernel kernel, kernel_for(step.execution, step.rows));
    const MixPush push{.heads = step.chunk.heads,
                       .head_begin = step.chunk.head_begin,
                       .all_heads = static_cast<std::uint32_t>(step.spec.heads),
                       .group = step.group(),
                       .d4 = step.d4(),
                       .window = static_cast<std::uint32_t>(step.spec.window),
                       .causal = causal};
    step.execution.recorder.dispatch(
        {"mix_" + kernel.variant, std::string(kernel.inputs) + "SS", sizeof push, {}, kernel.lock_step},
        {step.pattern, panels.values, step.table, step.execution.value(out).slice}, push,
        {(4 * step.d4() + kernel.columns - 1) / kernel.columns,
         (most_queries(step.rows) + kernel.rows - 1) / kernel.rows, step.z()},
        step.work());
    return {};
}

} // namespace

PanelShape panel_shape(const DeviceCaps& caps, int kv_heads, int d_head, int keys) {
    const std::uint32_t width = panel_width(caps);
    const auto panels = [&](int size) { return (static_cast<std::uint32_t>(size) + width - 1) / width; };
    PanelShape shape;
    shape.kv_heads = static_cast<std::uint32_t>(kv_heads);
    shape.d4 = groups_of_four(d_head);
    shape.panel_keys = shape.d4 * width;
    shape.k_head = panels(keys) * shape.panel_keys;
    shape.v_panel = groups_of_four(keys) * width;
    shape.v_head = panels(d_head) * shape.v_panel;
    shape.spare = column_padding(caps) / width - 1;
    return shape;
}

Status record(Execution& execution, const run::CacheAppend& op) {
    const PanelCache& cache = *execution.cache;
    Panels panels;
    panels.shape = cache.shape();
    panels.keys = {&cache.keys(op.layer)};
    panels.values = {&cache.values(op.layer)};
    panels.rows = rows_of(execution.plan.batch);
    for (std::size_t r = 0; r < panels.rows.size(); ++r)
        place(panels.rows, r, panels.shape, static_cast<std::uint32_t>(r) * panels.shape.keys(),
              static_cast<std::uint32_t>(r) * panels.shape.values());
    return write_panels(execution, panels, panels.rows, op.k, op.v);
}

Status record(Execution& execution, const run::Attention& op) {
    const bool keeps_scores = op.scores != run::absent;
    const bool keeps_pattern = op.pattern != run::absent;
    const auto heads = static_cast<std::uint32_t>(op.spec.heads);
    const run::Batch& queries = execution.plan.batch_of(op.q);
    const std::vector<Row> rows = rows_of(queries);
    const std::vector<Chunk> chunks = chunks_of(rows, heads);
    std::uint64_t most = 0;
    for (const Chunk& chunk : chunks)
        most = std::max(most, chunk_bytes(rows, chunk));
    Slice rest;
    VITRINE_ASSIGN(const Panels panels,
                   panels_for(execution, op.spec, queries, op.k, op.v,
                              most * ((keeps_scores ? 0 : 1) + (keeps_pattern ? 0 : 1)), rest));
    const Slice second{rest.buffer, rest.offset + (keeps_scores ? 0 : most), most};
    const bool sparse = !keeps_scores && !keeps_pattern;
    for (const Chunk& chunk : chunks) {
        Step step{execution,
                  op.spec,
                  chunk,
                  {panels.rows.begin() + static_cast<std::ptrdiff_t>(chunk.row_begin),
                   panels.rows.begin() + static_cast<std::ptrdiff_t>(chunk.row_end)},
                  {},
                  {},
                  {}};
        step.scores = keeps_scores ? part_of(execution.value(op.scores), chunk, step.rows, &Row::score_base)
                                   : scratch_part(rest, chunk, step.rows, &Row::score_base);
        step.pattern = keeps_pattern
                           ? part_of(execution.value(op.pattern), chunk, step.rows, &Row::pattern_base)
                           : scratch_part(second, chunk, step.rows, &Row::pattern_base);
        VITRINE_ASSIGN(step.table, execution.upload(step.rows));
        VITRINE_TRY(record_scores(step, op.q, op.q_sinks, panels, sparse));
        VITRINE_TRY(record_pattern(step, sparse));
        VITRINE_TRY(record_mix(step, panels, op.out, true));
    }
    return {};
}

namespace {

/// Calls body(step) for each chunk of a value of pairs, with the rows' bases set in both values.
template <typename Body>
Status each_chunk(Execution& execution, const run::AttentionSpec& spec, std::span<const Row> all,
                  run::ValueId scores, run::ValueId pattern, Body body) {
    for (const Chunk& chunk : chunks_of(all, static_cast<std::uint32_t>(spec.heads))) {
        Step step{execution,
                  spec,
                  chunk,
                  {all.begin() + static_cast<std::ptrdiff_t>(chunk.row_begin),
                   all.begin() + static_cast<std::ptrdiff_t>(chunk.row_end)},
                  {},
                  {},
                  {}};
        if (scores != run::absent)
            step.scores = part_of(execution.value(scores), chunk, step.rows, &Row::score_base);
        if (pattern != run::absent)
            step.pattern = part_of(execution.value(pattern), chunk, step.rows, &Row::pattern_base);
        VITRINE_ASSIGN(step.table, execution.upload(step.rows));
        VITRINE_TRY(body(step));
    }
    return {};
}

} // namespace

Status record(Execution& execution, const run::AttentionScores& op) {
    Slice rest;
    VITRINE_ASSIGN(const Panels panels,
                   panels_for(execution, op.spec, execution.plan.batch_of(op.q), op.k, run::absent, 0, rest));
    return each_chunk(execution, op.spec, panels.rows, op.out, run::absent,
                      [&](const Step& step) { return record_scores(step, op.q, op.q_sinks, panels, false); });
}

Status record(Execution& execution, const run::AttentionPattern& op) {
    run::AttentionSpec spec;
    spec.heads = spec.kv_heads = static_cast<int>(execution.value(op.in).layout->heads);
    return each_chunk(execution, spec, rows_of(execution.plan.batch_of(op.in)), op.in, op.out,
                      [&](const Step& step) { return record_pattern(step, false); });
}

Status record(Execution& execution, const run::SigmoidPattern& op) {
    run::AttentionSpec spec;
    spec.heads = spec.kv_heads = static_cast<int>(execution.value(op.in).layout->heads);
    const auto dispatch = [](const Step& step) -> Status {
        step.execution.recorder.dispatch(
            {"sigmoid_pattern", "TSS", 4, {step.execution.device.caps().subgroup}, true},
            {step.scores, step.table, step.pattern}, step.chunk.heads, {most_queries(step.rows), 1, step.z()},
            15.0 * pairs_of(step.rows) * step.chunk.heads);
        return {};
    };
    return each_chunk(execution, spec, rows_of(execution.plan.batch_of(op.in)), op.in, op.out, dispatch);
}

Status record(Execution& execution, const run::AttentionMix& op) {
    Slice rest;
    VITRINE_ASSIGN(const Panels panels, panels_for(execution, op.spec, execution.plan.batch_of(op.pattern),
                                                   run::absent, op.v, 0, rest));
    return each_chunk(execution, op.spec, panels.rows, run::absent, op.pattern,
                      [&](const Step& step) { return record_mix(step, panels, op.out, false); });
}

} // namespace vitrine::backend::vulkan

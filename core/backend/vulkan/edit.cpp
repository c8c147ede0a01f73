#include "core/backend/vulkan/edit.h"

#include <algorithm>
#include <set>

namespace vitrine::backend::vulkan {

namespace {

/// As in shaders/edit.glsl.
struct Entry {
    std::uint32_t kind, base, positions, heads, channels, pos_step, head_step;
    std::uint32_t has_tensor, tensor, tensor_pos, tensor_head, tensor_channel;
    float scalar;
};

/// As in shaders/calibrate_*.comp; offsets and strides in elements.
struct Calibration {
    std::uint32_t base, queries, keys, pos_step, head_step, begin, end;
    float beta, threshold;
};

Status record_calibration(Execution& execution, const run::EditEntry& edit, const Operand& value) {
    const PairsRow& row = value.layout->rows[static_cast<std::size_t>(edit.row)];
    const auto heads = static_cast<std::uint32_t>(edit.head_end - edit.head_begin);
    const Calibration push{.base = 4 * (row.base + static_cast<std::uint32_t>(edit.head_begin) * row.head()),
                           .queries = row.queries,
                           .keys = row.keys,
                           .pos_step = 4 * row.pitch,
                           .head_step = 4 * row.head(),
                           .begin = static_cast<std::uint32_t>(edit.pos_begin),
                           .end = static_cast<std::uint32_t>(edit.pos_end),
                           .beta = edit.scalar,
                           .threshold = edit.threshold};
    VITRINE_ASSIGN(const Slice sinks, execution.scratch(std::uint64_t{4} * heads * row.keys));
    const double work = 4.0 * heads * row.queries * row.keys;
    execution.recorder.dispatch({"calibrate_columns", "SS", sizeof push, {}}, {value.slice, sinks}, push,
                                {(row.keys + 63) / 64, heads, 1}, work);
    execution.recorder.dispatch(
        {"calibrate_rows", "SS", sizeof push, {execution.device.caps().subgroup}, true}, {value.slice, sinks},
        push, {push.end - push.begin, heads, 1}, 2 * work);
    return {};
}

/// Entries that one dispatch can hold together.
enum class Group { elements, projections, taken, calibration };

Group group_of(run::EditKind kind) {
    switch (kind) {
    case run::EditKind::project_out:
    case run::EditKind::cap:
        return Group::projections;
    case run::EditKind::take:
        return Group::taken;
    case run::EditKind::calibrate:
        return Group::calibration;
    case run::EditKind::set:
    case run::EditKind::scale:
    case run::EditKind::add:
    case run::EditKind::mask:
        return Group::elements;
    }
    return Group::elements;
}

std::uint32_t size_of(int begin, int end) { return static_cast<std::uint32_t>(std::max(end - begin, 0)); }

/// The box in the padded layout.
Entry box_of(const run::EditEntry& edit, const ValueLayout& layout, const run::Batch& batch) {
    Entry entry{};
    entry.kind = static_cast<std::uint32_t>(edit.kind);
    entry.positions = size_of(edit.pos_begin, edit.pos_end);
    entry.heads = size_of(edit.head_begin, edit.head_end);
    entry.channels = size_of(edit.channel_begin, edit.channel_end);
    entry.scalar = edit.scalar;
    std::uint32_t first = 0;
    const auto row = static_cast<std::size_t>(edit.row);
    if (layout.kind == run::Layout::tokens) {
        entry.pos_step = 4 * layout.row();
        entry.head_step = 4 * layout.head();
        first = static_cast<std::uint32_t>(batch.row_start[row]) * entry.pos_step;
    } else {
        entry.pos_step = 4 * layout.rows[row].pitch;
        entry.head_step = 4 * layout.rows[row].head();
        first = 4 * layout.rows[row].base;
    }
    entry.base = first + static_cast<std::uint32_t>(edit.pos_begin) * entry.pos_step +
                 static_cast<std::uint32_t>(edit.head_begin) * entry.head_step +
                 static_cast<std::uint32_t>(edit.channel_begin);
    return entry;
}

void record_run(Execution& execution, std::span<const Entry> entries, std::uint32_t first,
                std::uint32_t count, bool projecting, Slice table, Slice tensors, Slice value) {
    std::uint32_t most = 0;
    double work = 0;
    for (const Entry& entry : entries.subspan(first, count)) {
        const std::uint32_t vectors = entry.positions * entry.heads;
        most = std::max(most, projecting ? vectors : vectors * entry.channels);
        work += 10.0 * vectors * entry.channels;
    }
    if (projecting)
        execution.recorder.dispatch({"project", "SSS", 4, {execution.device.caps().subgroup}, true},
                                    {table, tensors, value}, first, {most, count, 1}, work);
    else
        execution.recorder.dispatch({"edit", "SSS", 4, {}}, {table, tensors, value}, first,
                                    {(most + 255) / 256, count, 1}, work);
}

} // namespace

Status record(Execution& execution, const run::Edit& op) {
    const Operand value = execution.value(op.value);
    std::vector<Entry> entries;
    std::vector<float> tensors;
    std::map<run::ConstantId, std::size_t> placed; // a constant's first element in `tensors`
    for (const run::EditEntry& edit : op.entries) {
        Entry entry = box_of(edit, *value.layout, execution.plan.batch_of(op.value));
        if (edit.tensor != run::absent) {
            const auto& data = execution.plan.constants[static_cast<std::size_t>(edit.tensor)]->data;
            const auto [found, fresh] = placed.emplace(edit.tensor, tensors.size());
            if (fresh) tensors.insert(tensors.end(), data.begin(), data.end());
            entry.has_tensor = 1;
            entry.tensor = static_cast<std::uint32_t>(found->second + static_cast<std::size_t>(edit.offset));
            entry.tensor_pos = static_cast<std::uint32_t>(edit.pos_stride);
            entry.tensor_head = static_cast<std::uint32_t>(edit.head_stride);
            entry.tensor_channel = static_cast<std::uint32_t>(edit.channel_stride);
        }
        if (edit.kind == run::EditKind::take) { // the same place of a value that lies alike
            entry.kind = static_cast<std::uint32_t>(run::EditKind::set);
            entry.has_tensor = 1;
            entry.tensor = entry.base;
            entry.tensor_pos = entry.pos_step;
            entry.tensor_head = entry.head_step;
            entry.tensor_channel = 1;
        }
        if (entry.positions * entry.heads * entry.channels > 0) entries.push_back(entry);
    }
    if (entries.empty()) return {};
    VITRINE_ASSIGN(const Slice table, execution.upload(entries));
    Slice list = execution.unused();
    if (!tensors.empty()) {
        VITRINE_ASSIGN(list, execution.upload(tensors));
    }

    // Entries of different rows touch different elements: a run of them is one dispatch. Otherwise order
    // counts.
    std::vector<const run::EditEntry*> edits;
    for (const run::EditEntry& edit : op.entries)
        if (edit.pos_end > edit.pos_begin && edit.head_end > edit.head_begin &&
            edit.channel_end > edit.channel_begin)
            edits.push_back(&edit);
    for (std::size_t first = 0; first < edits.size();) {
        const Group group = group_of(edits[first]->kind);
        if (group == Group::calibration) {
            VITRINE_TRY(record_calibration(execution, *edits[first], value));
            ++first;
            continue;
        }
        std::set<int> rows;
        std::size_t end = first;
        while (end < edits.size() && end - first < 65535 && group_of(edits[end]->kind) == group &&
               rows.insert(edits[end]->row).second)
            ++end;
        const Slice source = group == Group::taken ? execution.value(op.source).slice : list;
        record_run(execution, entries, static_cast<std::uint32_t>(first),
                   static_cast<std::uint32_t>(end - first), group == Group::projections, table, source,
                   value.slice);
        first = end;
    }
    return {};
}

} // namespace vitrine::backend::vulkan

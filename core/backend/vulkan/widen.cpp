#include "core/backend/vulkan/widen.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/backend/vulkan/matmul.h"

namespace vitrine::backend::vulkan {

namespace {

constexpr std::uint64_t most_panels = std::uint64_t{256} << 20; // bytes of one product's panels
constexpr std::uint32_t column_step = 256; // the kernels' tiles, and every device's alignment of a binding

struct Push {
    std::uint32_t items, columns, first, sources, out_width, out_pitch, rows, in_width, in_pitch, k;
    std::uint32_t column_words, first_source, panel;
};

std::uint32_t pitch_of(std::int64_t width, int pad) {
    return static_cast<std::uint32_t>((width + pad - 1) / pad * pad);
}

} // namespace

std::uint32_t widened_at_once(const Execution& execution, const PackedMatrix& matrix) {
    if (matrix.narrow == nullptr || matrix.out.heads != 1) return matrix.columns;
    const DeviceCaps& caps = execution.device.caps();
    const std::uint64_t bytes = std::min({most_panels, caps.max_storage_range, caps.max_texels * 16});
    const std::uint64_t fitting = bytes / (std::uint64_t{matrix.k4} * 16) / column_step * column_step;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(fitting, column_step, std::max(matrix.columns, column_step)));
}

Result<Slice> panels_of(Execution& execution, const PackedMatrix& matrix, std::uint32_t first,
                        std::uint32_t count) {
    if (matrix.narrow == nullptr) return Slice{&matrix.buffer};
    const model::Weight& weight = *matrix.weight;
    const std::uint32_t panel = panel_width(execution.device.caps());
    // A tile may read the panels behind the last column.
    count = std::min((count + panel - 1) / panel * panel, matrix.columns - first);
    const std::uint64_t bytes = std::uint64_t{count} * matrix.k4 * 16;
    VITRINE_ASSIGN(const Buffer* buffer, execution.memory.panels.reserve(execution.device, bytes));
    const Slice out{buffer, 0, bytes};
    const auto in_width = static_cast<std::uint32_t>(weight.rows / matrix.in.heads);
    const auto out_width = static_cast<std::uint32_t>(weight.cols / matrix.out.heads);
    // A part of the columns begins at `first`; with heads that are padded it is the whole.
    const std::uint32_t source =
        matrix.out.heads == 1 ? std::min(first, static_cast<std::uint32_t>(weight.cols)) : 0;
    const auto left = static_cast<std::uint32_t>(weight.cols) - source;
    const std::uint64_t column_bytes = matrix.narrow->column_bytes;
    const std::uint32_t read = matrix.out.heads == 1 ? std::min(left, count) : left;
    const Slice in = read == 0 ? execution.unused()
                               : Slice{&matrix.narrow->buffer, source * column_bytes, read * column_bytes};
    const std::uint32_t units = (static_cast<std::uint32_t>(weight.rows) + 31) / 32;
    const Push push{.items = units * count,
                    .columns = count,
                    .first = first,
                    .sources = static_cast<std::uint32_t>(weight.cols),
                    .out_width = out_width,
                    .out_pitch = pitch_of(out_width, matrix.out.pad),
                    .rows = static_cast<std::uint32_t>(weight.rows),
                    .in_width = in_width,
                    .in_pitch = pitch_of(in_width, matrix.in.pad),
                    .k = 4 * matrix.k4,
                    .column_words = matrix.narrow->column_bytes / 4,
                    .first_source = source,
                    .panel = panel};
    const std::string kernel = fmt::format("widen_{}", dtype_name(weight.dtype));
    execution.recorder.dispatch({kernel, "SS", sizeof push, {}}, {in, out}, push, Execution::grid(push.items),
                                400.0 * push.items);
    return out;
}

} // namespace vitrine::backend::vulkan

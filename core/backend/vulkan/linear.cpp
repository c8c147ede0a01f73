#include "core/backend/vulkan/linear.h"

#include <algorithm>

#include "core/backend/vulkan/matmul.h"
#include "core/backend/vulkan/widen.h"

namespace vitrine::backend::vulkan {

namespace {

struct Push {
    std::uint32_t k4, rows, columns4, a_row, c_row, b_panel;
    std::uint32_t a_z = 0, b_z = 0, c_z = 0, bias_z = 0;
    std::uint32_t has_bias = 0;
};

/// Bindings start at multiples of the device's alignment: rows a band must be a multiple of.
std::uint32_t rows_aligned(const DeviceCaps& caps, std::uint32_t row) {
    const std::uint32_t align = std::max({caps.storage_alignment, caps.texel_alignment, 16U});
    std::uint32_t rows = 1;
    while (std::uint64_t{rows} * row * 16 % align != 0)
        rows *= 2;
    return rows;
}

Status dispatch(Execution& execution, Slice a, Slice panels, Slice bias, Slice c, const Push& push,
                std::uint32_t matrices) {
    const auto k = std::int64_t{4} * push.k4;
    const auto n = std::int64_t{4} * push.columns4;
    VITRINE_ASSIGN(const MatmulKernel kernel,
                   pick_matmul(execution.device.caps(), push.rows, n, k, Precision::exact));
    const std::string name = "linear_" + kernel.variant;
    const std::string bindings = std::string(kernel.inputs) + "TS";
    const Groups groups{static_cast<std::uint32_t>((n + kernel.columns - 1) / kernel.columns),
                        (push.rows + kernel.rows - 1) / kernel.rows, matrices};
    execution.recorder.dispatch({name, bindings, sizeof(Push), {}, kernel.lock_step}, {a, panels, bias, c},
                                push, groups,
                                2.0 * static_cast<double>(push.rows) * static_cast<double>(n * k) * matrices);
    return {};
}

int heads_of(const Operand& operand) { return static_cast<int>(operand.layout->heads); }

} // namespace

Status record_product(Execution& execution, Slice a, std::uint32_t a_row, const PackedMatrix& matrix,
                      Slice bias, bool has_bias, Slice c, std::uint32_t c_row, std::uint32_t rows) {
    const DeviceCaps& caps = execution.device.caps();
    const std::uint64_t row_bytes = std::max<std::uint64_t>(std::uint64_t{c_row} * 16, 16);
    const std::uint64_t input_bytes = std::max<std::uint64_t>(std::uint64_t{a_row} * 16, 16);
    const std::uint32_t unit = std::max(rows_aligned(caps, c_row), rows_aligned(caps, a_row));
    const std::uint64_t fitting = caps.max_storage_range / std::max(row_bytes, input_bytes) / unit * unit;
    const auto band =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fitting, unit, std::max(rows, unit)));
    const std::uint32_t columns = widened_at_once(execution, matrix);
    for (std::uint32_t left = 0; left < 4 * c_row; left += columns) {
        VITRINE_ASSIGN(const Slice panels, panels_of(execution, matrix, left, columns));
        const std::uint64_t shift = std::uint64_t{left} * 4;
        const Slice bias_here = has_bias && left > 0 ? Slice{bias.buffer, bias.offset + shift, 0} : bias;
        for (std::uint32_t first = 0; first < rows; first += band) {
            const std::uint32_t count = std::min(band, rows - first);
            VITRINE_TRY(dispatch(execution, {a.buffer, a.offset + first * input_bytes, count * input_bytes},
                                 panels, bias_here,
                                 {c.buffer, c.offset + first * row_bytes + shift, count * row_bytes - shift},
                                 {.k4 = matrix.k4,
                                  .rows = count,
                                  .columns4 = std::min(c_row - left / 4, columns / 4),
                                  .a_row = a_row,
                                  .c_row = c_row,
                                  .b_panel = matrix.panel,
                                  .has_bias = has_bias},
                                 1));
        }
    }
    return {};
}

Status record(Execution& execution, const run::Linear& op) {
    const Operand in = execution.value(op.in);
    const Operand out = execution.value(op.out);
    VITRINE_ASSIGN(const PackedMatrix* matrix,
                   execution.weights.matrix(op.weight, {heads_of(in), 4}, {heads_of(out), 4}));
    VITRINE_ASSIGN(const Slice bias, execution.bias(op.bias, heads_of(out)));
    return record_product(execution, in.slice, in.layout->row(), *matrix, bias, op.bias != model::no_weight,
                          out.slice, out.layout->row(), in.layout->count);
}

Status record(Execution& execution, const run::HeadLinear& op) {
    const Operand in = execution.value(op.in);
    const Operand out = execution.value(op.out);
    const auto panel = static_cast<int>(panel_width(execution.device.caps()));
    // Each head's columns start a panel of their own.
    VITRINE_ASSIGN(const PackedMatrix* matrix,
                   execution.weights.matrix(op.weight, {}, {heads_of(out), panel}));
    VITRINE_ASSIGN(const Slice bias, execution.bias(op.bias, heads_of(out)));
    const std::uint32_t panels =
        (out.layout->width + static_cast<std::uint32_t>(panel) - 1) / static_cast<std::uint32_t>(panel);
    VITRINE_ASSIGN(const Slice whole, panels_of(execution, *matrix, 0, matrix->columns));
    return dispatch(execution, in.slice, whole, bias, out.slice,
                    {.k4 = matrix->k4,
                     .rows = in.layout->count,
                     .columns4 = out.layout->head(),
                     .a_row = in.layout->row(),
                     .c_row = out.layout->row(),
                     .b_panel = matrix->panel,
                     .a_z = in.layout->head(),
                     .b_z = panels * matrix->panel,
                     .c_z = out.layout->head(),
                     .bias_z = out.layout->head(),
                     .has_bias = op.bias != model::no_weight},
                    out.layout->heads);
}

Status record(Execution& execution, const run::HeadResult& op) {
    const Operand in = execution.value(op.in);
    const Operand out = execution.value(op.out);
    VITRINE_ASSIGN(const PackedMatrix* matrix, execution.weights.matrix(op.weight, {heads_of(in), 4}, {}));
    const std::uint32_t d4 = in.layout->head();
    VITRINE_ASSIGN(const Slice whole, panels_of(execution, *matrix, 0, matrix->columns));
    return dispatch(
        execution, in.slice, whole, execution.unused(), out.slice,
        {.k4 = d4,
         .rows = in.layout->count,
         .columns4 = out.layout->head(),
         .a_row = in.layout->row(),
         .c_row = out.layout->row(),
         .b_panel = matrix->panel,
         .a_z = d4,
         .b_z = d4 * panel_width(execution.device.caps()), // four rows of K are a panel's width of vec4s
         .c_z = out.layout->head()},
        in.layout->heads);
}

} // namespace vitrine::backend::vulkan

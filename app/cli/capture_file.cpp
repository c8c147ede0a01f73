#include "app/cli/capture_file.h"

#include <algorithm>
#include <limits>

#include "core/engine/recorder.h"
#include "core/run/spec_json.h"
#include "core/store/activation_writer.h"

namespace vitrine::cli {

namespace {

std::size_t axis_named(const run::Captured& captured, const char* name) {
    return static_cast<std::size_t>(std::find(captured.axes.begin(), captured.axes.end(), name) -
                                    captured.axes.begin());
}

/// Steps of one hook under another along axis `along`, each of size 1 there; the last axis grows to the
/// longest and is filled with `fill`.
run::Captured stack(const std::vector<const run::Captured*>& steps, std::size_t along, float fill) {
    const Shape& last = steps.back()->tensor.shape;
    Shape shape = last;
    shape[along] = static_cast<std::int64_t>(steps.size());
    std::int64_t outer = 1;
    for (std::size_t a = 0; a < along; ++a)
        outer *= last[a];
    std::int64_t middle = 1; // axes between `along` and the last one
    for (std::size_t a = along + 1; a + 1 < last.size(); ++a)
        middle *= last[a];
    const std::int64_t width = along + 1 < last.size() ? last.back() : 1;
    Tensor out(shape);
    std::fill(out.data.begin(), out.data.end(), fill);
    for (std::size_t s = 0; s < steps.size(); ++s) {
        const Tensor& step = steps[s]->tensor;
        const std::int64_t filled = along + 1 < last.size() ? step.shape.back() : 1;
        for (std::int64_t o = 0; o < outer; ++o)
            for (std::int64_t m = 0; m < middle; ++m)
                std::copy_n(&step.data[static_cast<std::size_t>((o * middle + m) * filled)], filled,
                            &out.data[static_cast<std::size_t>(((o * static_cast<std::int64_t>(steps.size()) +
                                                                 static_cast<std::int64_t>(s)) *
                                                                    middle +
                                                                m) *
                                                               width)]);
    }
    return {steps.back()->hook, steps.back()->axes, std::move(out)};
}

Status write_rows(const std::filesystem::path& file, const store::FileHeader& header, DType stored,
                  const std::vector<std::vector<std::int32_t>>& ids,
                  const std::vector<std::vector<run::Captured>>& captures) {
    VITRINE_ASSIGN(auto writer, store::ActivationWriter::create(file, header, stored));
    for (std::size_t r = 0; r < ids.size(); ++r) {
        const int row = static_cast<int>(r);
        VITRINE_TRY(writer.add_tokens(row, ids[r]));
        for (const auto& captured : captures[r])
            VITRINE_TRY(writer.add(row, captured.hook, captured.axes, captured.tensor.view()));
    }
    VITRINE_TRY(writer.finish());
    return {};
}

} // namespace

std::vector<run::Captured> stacked_captures(const run::GeneratedRow& row) {
    std::vector<run::Captured> stacked;
    if (row.steps.empty()) return stacked;
    for (std::size_t c = 0; c < row.steps[0].captures.size(); ++c) {
        std::vector<const run::Captured*> steps;
        for (const auto& step : row.steps)
            steps.push_back(&step.captures[c]);
        const std::size_t query = axis_named(*steps[0], "query");
        const std::size_t along = query < steps[0]->axes.size() ? query : axis_named(*steps[0], "pos");
        const bool scores = steps[0]->hook.ends_with("hook_attn_scores");
        stacked.push_back(stack(steps, along, scores ? -std::numeric_limits<float>::infinity() : 0.0F));
    }
    return stacked;
}

Status write_captures(const std::filesystem::path& file, const engine::OpenModel& model,
                      const engine::RunRecord& record, DType stored) {
    std::vector<std::vector<std::int32_t>> ids;
    std::vector<std::vector<run::Captured>> captures;
    for (std::size_t r = 0; r < record.spec.rows.size(); ++r) {
        ids.push_back(record.spec.rows[r].ids);
        captures.push_back(record.result.rows[r].captures);
    }
    return write_rows(file, engine::header_for(model, run::to_json(record.spec), record.spec.coordinates),
                      stored, ids, captures);
}

Status write_captures(const std::filesystem::path& file, const engine::OpenModel& model,
                      const engine::GenerateRecord& record, DType stored) {
    std::vector<std::vector<std::int32_t>> ids;
    std::vector<std::vector<run::Captured>> captures;
    for (std::size_t r = 0; r < record.result.rows.size(); ++r) {
        const auto& row = record.result.rows[r];
        ids.push_back(record.spec.prompt.rows[r].ids);
        ids.back().insert(ids.back().end(), row.new_ids.begin(), row.new_ids.end());
        captures.push_back(stacked_captures(row));
    }
    return write_rows(file,
                      engine::header_for(model, run::to_json(record.spec), record.spec.prompt.coordinates),
                      stored, ids, captures);
}

} // namespace vitrine::cli

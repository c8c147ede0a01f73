// Means over a reference and rows of the unedited run, for edits that read them.
#include "core/run/batch.h"

#include <algorithm>

#include <fmt/format.h>

namespace vitrine::run {

namespace {

/// [heads, width] or [width]: the mean of a hook over every token of the rows, in float64; by position
/// [positions, heads, width] or [positions, width], over the rows that have the position. nullptr without any
/// token.
SharedTensor mean_of(const RunResult& result, const std::vector<RunRow>& rows, const std::string& hook,
                     const EditSpec& edit) {
    std::size_t positions = 1;
    for (const RunRow& row : rows)
        if (edit.by_position) positions = std::max(positions, row.ids.size());
    Shape shape = result.rows.front().find(hook)->tensor.shape;
    shape.erase(shape.begin());
    const auto width = static_cast<std::size_t>(element_count(shape));
    std::vector<double> sums(positions * width);
    std::vector<double> counts(positions);
    double all = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const Tensor& tensor = result.rows[row].find(hook)->tensor;
        for (std::size_t pos = 0; pos < rows[row].ids.size(); ++pos) {
            if (edit.exclude_special && pos < rows[row].special.size() && rows[row].special[pos]) continue;
            const std::size_t line = edit.by_position ? pos : 0;
            ++counts[line];
            ++all;
            for (std::size_t i = 0; i < width; ++i)
                sums[line * width + i] += static_cast<double>(tensor.data[pos * width + i]);
        }
    }
    if (all == 0) return nullptr;
    if (edit.by_position) shape.insert(shape.begin(), static_cast<std::int64_t>(positions));
    Tensor mean(shape);
    for (std::size_t i = 0; i < sums.size(); ++i)
        mean.data[i] = static_cast<float>(sums[i] / std::max(counts[i / width], 1.0));
    return std::make_shared<const Tensor>(std::move(mean));
}

RunSpec unedited(const std::vector<RunRow>& rows, const MatchedEdit& edit) {
    RunSpec spec;
    spec.rows = rows;
    spec.loss = false;
    spec.top = 0;
    for (const model::HookInfo& hook : edit.hooks)
        spec.captures.push_back(hook.name);
    return spec;
}

tl::unexpected<Error> no_token(const EditSpec& mean) {
    return fail(
        Code::usage,
        fmt::format("The mean for {} has no token to average: the reference holds special tokens only.",
                    mean.hook));
}

/// The rows that an edit reads.
const std::vector<RunRow>& source_of(const EditSpec& edit, const std::vector<RunRow>& rows) {
    const bool own = edit.op == EditOp::from || edit.prompts.empty();
    return own ? rows : edit.prompts;
}

/// Whether a mean has a token to average.
bool has_token(const EditSpec& edit, const std::vector<RunRow>& rows) {
    if (!edit.exclude_special) return true;
    for (const RunRow& row : rows)
        for (std::size_t pos = 0; pos < row.ids.size(); ++pos)
            if (pos >= row.special.size() || !row.special[pos]) return true;
    return false;
}

/// A capture of `length` tokens in its natural axes without the batch axis; a mean has no positions either.
Shape shape_of(const model::HookInfo& hook, const EditSpec& edit, std::size_t length) {
    Shape shape;
    for (std::size_t axis = edit.op == EditOp::mean && !edit.by_position ? 2 : 1; axis < hook.shape.size();
         ++axis)
        shape.push_back(hook.shape[axis] < 0 ? static_cast<std::int64_t>(length) : hook.shape[axis]);
    return shape;
}

} // namespace

Status stand_in_references(const model::Model& model, const std::vector<RunRow>& rows, Request& request) {
    for (MatchedEdit& edit : request.edits) {
        if (!needs_reference(edit.spec)) continue;
        const std::vector<RunRow>& source = source_of(edit.spec, rows);
        VITRINE_TRY(match_request(model, unedited(source, edit), false));
        if (!has_token(edit.spec, source)) return no_token(edit.spec);
        std::size_t length =
            source.front().ids.size(); // a mean by position reaches as far as the longest row
        for (const RunRow& row : source)
            length = std::max(length, row.ids.size());
        if (edit.spec.op == EditOp::from)
            length = source[static_cast<std::size_t>(edit.spec.from_row)].ids.size();
        for (const model::HookInfo& hook : edit.hooks)
            edit.spec.tensors[hook.name] =
                std::make_shared<const Tensor>(shape_of(hook, edit.spec, length), std::vector<float>());
    }
    return {};
}

Status fill_references(backend::LoadedModel& loaded, const model::Model& model,
                       const std::vector<RunRow>& rows, Request& request, const CancelToken& cancel) {
    for (MatchedEdit& edit : request.edits) {
        if (!needs_reference(edit.spec)) continue;
        const std::vector<RunRow>& source = source_of(edit.spec, rows);
        VITRINE_ASSIGN(const RunResult clean, run(loaded, model, unedited(source, edit), cancel, {}));
        for (const model::HookInfo& hook : edit.hooks) {
            if (edit.spec.op == EditOp::from) {
                const RowResult& row = clean.rows[static_cast<std::size_t>(edit.spec.from_row)];
                edit.spec.tensors[hook.name] = std::make_shared<const Tensor>(row.find(hook.name)->tensor);
                continue;
            }
            SharedTensor mean = mean_of(clean, source, hook.name, edit.spec);
            if (!mean) return no_token(edit.spec);
            edit.spec.tensors[hook.name] = std::move(mean);
        }
    }
    return {};
}

} // namespace vitrine::run

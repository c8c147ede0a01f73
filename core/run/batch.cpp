#include "core/run/batch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "core/run/read_out.h"

namespace vitrine::run {

namespace {

Status check_rows(const model::Model& model, const std::vector<RunRow>& rows) {
    if (rows.empty()) return fail(Code::usage, "There is nothing to run: give at least one prompt.");
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto& ids = rows[row].ids;
        if (ids.empty()) return fail(Code::usage, fmt::format("Row {} is empty: it has no tokens.", row));
        if (static_cast<std::int64_t>(ids.size()) > model.spec.context)
            return fail(Code::out_of_range,
                        fmt::format("Row {} has {} tokens, but the model's context is {}.", row, ids.size(),
                                    model.spec.context));
        for (const std::int32_t id : ids)
            if (id < 0 || id >= model.spec.vocab)
                return fail(Code::out_of_range,
                            fmt::format("Row {} has token id {}, but the vocabulary has {} tokens.", row, id,
                                        model.spec.vocab));
    }
    return {};
}

/// Rows of next-token statistics: every token where the loss is wanted, else the chosen positions.
struct StatRows {
    std::vector<int> packed;
    std::vector<std::int32_t> targets;
};

StatRows stat_rows(const Request& request, const BatchJob& job, const Batch& batch) {
    StatRows stats;
    for (int row = 0; row < batch.rows(); ++row) {
        const int first = batch.row_start[static_cast<std::size_t>(row)];
        std::vector<int> wanted = job.positions[static_cast<std::size_t>(row)];
        if (request.loss)
            for (int i = 0; i + 1 < batch.queries(row); ++i)
                wanted.push_back(i);
        std::sort(wanted.begin(), wanted.end());
        wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
        for (const int i : wanted) {
            stats.packed.push_back(first + i);
            const bool has_next = i + 1 < batch.queries(row);
            stats.targets.push_back(has_next ? batch.tokens[static_cast<std::size_t>(first + i + 1)] : -1);
        }
    }
    return stats;
}

/// Takes the whole tensor where the part is all of it.
Tensor slice(Tensor& whole, Shape shape, std::int64_t begin) {
    if (element_count(shape) == whole.size()) return {std::move(shape), std::move(whole.data)};
    Tensor part(std::move(shape));
    std::copy_n(whole.data.begin() + begin, part.data.size(), part.data.begin());
    return part;
}

/// A row's part of a captured value in its natural axes.
Tensor row_part(const CaptureSlot& slot, const Batch& batch, int row, Tensor& whole) {
    const Value& value = slot.value;
    if (value.layout == Layout::tokens) {
        const std::int64_t first = batch.row_start[static_cast<std::size_t>(row)];
        const std::int64_t width = std::int64_t{value.heads} * value.width;
        Shape shape{batch.queries(row), value.width};
        if (slot.axes.size() == 3) shape = {batch.queries(row), value.heads, value.width};
        return slice(whole, std::move(shape), first * width);
    }
    std::int64_t begin = 0;
    for (int before = 0; before < row; ++before)
        begin += std::int64_t{value.heads} * batch.queries(before) * batch.keys(before);
    return slice(whole, {value.heads, batch.queries(row), batch.keys(row)}, begin);
}

} // namespace

Result<Request> match_request(const model::Model& model, const RunSpec& spec, bool generating) {
    VITRINE_TRY(check_rows(model, spec.rows));
    VITRINE_TRY(ReadOut::check(model, spec));
    Request request;
    request.top = std::min(spec.top, model.spec.vocab);
    request.loss = spec.loss;
    request.logits = spec.logits;
    for (const std::int32_t id : spec.watch)
        if (id < 0 || id >= model.spec.vocab)
            return fail(Code::out_of_range,
                        fmt::format("Token id {} is watched, but the vocabulary has {} tokens.", id,
                                    model.spec.vocab));
    request.watch = spec.watch;
    VITRINE_TRY(check_policy(model.spec, spec.attention));
    request.attention = spec.attention;
    for (const std::string& pattern : spec.captures) {
        VITRINE_ASSIGN(const auto hooks, model::match_hooks(model.spec, pattern));
        for (const model::HookInfo& hook : hooks)
            request.captures.insert(hook.name);
    }
    std::map<std::string, std::vector<model::HookInfo>> matched; // a sweep names few hooks often
    for (const EditSpec& edit : spec.edits) {
        auto hooks = matched.find(edit.hook);
        if (hooks == matched.end()) {
            VITRINE_ASSIGN(auto found, model::match_hooks(model.spec, edit.hook));
            hooks = matched.emplace(edit.hook, std::move(found)).first;
        }
        request.edits.push_back({edit, hooks->second});
        VITRINE_TRY(check_edit(request.edits.back(), spec.rows, generating));
    }
    return request;
}

Result<std::vector<int>> chosen_positions(const RunSpec& spec, int length, int row) {
    if (spec.choice == PositionChoice::last) return std::vector<int>{length - 1};
    std::vector<int> positions;
    if (spec.choice == PositionChoice::all) {
        for (int i = 0; i < length; ++i)
            positions.push_back(i);
        return positions;
    }
    for (const int wanted : spec.positions) {
        const int position = wanted < 0 ? wanted + length : wanted;
        if (position < 0 || position >= length)
            return fail(
                Code::out_of_range,
                fmt::format("Position {} lies outside row {}, which has {} tokens.", wanted, row, length));
        positions.push_back(position);
    }
    return positions;
}

BatchJob job_of(const RunSpec& spec, const std::vector<std::vector<int>>& positions, std::size_t first,
                std::size_t count) {
    BatchJob job;
    const auto begin = static_cast<std::ptrdiff_t>(first);
    const auto end = static_cast<std::ptrdiff_t>(first + count);
    job.rows.assign(spec.rows.begin() + begin, spec.rows.begin() + end);
    job.positions.assign(positions.begin() + begin, positions.begin() + end);
    job.first_row = static_cast<int>(first);
    job.spec_rows = static_cast<int>(spec.rows.size());
    job.past.assign(count, 0);
    for (const RunRow& row : job.rows)
        job.prompt_length.push_back(static_cast<int>(row.ids.size()));
    return job;
}

std::uint64_t bytes_of(const BuiltPlan& built) {
    std::uint64_t bytes = static_cast<std::uint64_t>(lay_out(built.plan, 1).elements) * sizeof(float);
    for (const CaptureSlot& slot : built.captures)
        bytes += static_cast<std::uint64_t>(slot.value.elements(built.plan.batch)) * sizeof(float);
    return bytes;
}

bool fits(const BuiltPlan& built, const backend::Limits& limits) {
    if (built.plan.batch.rows() > limits.rows) return false;
    for (const Value& value : built.plan.values)
        if (static_cast<std::uint64_t>(value.elements(built.plan.batch_of(value))) * sizeof(float) >
            limits.value_bytes)
            return false;
    return bytes_of(built) <= limits.scratch_bytes;
}

Result<BuiltPlan> plan_batch(const model::Model& model, const Request& request, const BatchJob& job) {
    BuildRequest build;
    build.batch.past = job.past;
    build.batch.row_start = {0};
    for (const RunRow& row : job.rows) {
        build.batch.tokens.insert(build.batch.tokens.end(), row.ids.begin(), row.ids.end());
        build.batch.row_start.push_back(build.batch.size());
    }
    build.captures = request.captures;
    build.cached = job.cached;
    build.attention = request.attention;
    const RowContext context{&job.rows, job.first_row, job.spec_rows, job.prompt_length, job.past};
    for (const MatchedEdit& edit : request.edits)
        VITRINE_TRY(resolve_edit(edit, context, build.edits, build.constants));
    StatRows stats = stat_rows(request, job, build.batch);
    build.stat_rows = std::move(stats.packed);
    build.targets = std::move(stats.targets);
    build.top = request.top;
    build.watch = request.watch;
    if (request.logits)
        for (std::size_t row = 0; row < job.rows.size(); ++row)
            for (const int position : job.positions[row])
                build.logit_rows.push_back(build.batch.row_start[row] + position);
    return build_plan(model, build);
}

std::vector<RowResult> rows_of(const BuiltPlan& built, const Request& request, const BatchJob& job,
                               backend::Outputs outputs) {
    const Batch& batch = built.plan.batch;
    const StatRows stats = stat_rows(request, job, batch);
    constexpr float unknown = std::numeric_limits<float>::quiet_NaN();
    std::vector<RowResult> results(job.rows.size());
    std::int64_t logits_begin = 0;
    for (int row = 0; row < batch.rows(); ++row) {
        const auto index = static_cast<std::size_t>(row);
        RowResult& result = results[index];
        const int first = batch.row_start[index];
        if (request.loss) {
            result.token_nll.assign(static_cast<std::size_t>(batch.queries(row)), unknown);
            double sum = 0;
            for (int i = 0; i + 1 < batch.queries(row); ++i) {
                const auto at = std::lower_bound(stats.packed.begin(), stats.packed.end(), first + i);
                const float nll = outputs.logit_rows[static_cast<std::size_t>(at - stats.packed.begin())].nll;
                result.token_nll[static_cast<std::size_t>(i) + 1] = nll;
                sum += static_cast<double>(nll);
            }
            result.loss = batch.queries(row) > 1 ? sum / (batch.queries(row) - 1) : std::nan("");
        } else {
            result.loss = std::nan("");
        }
        for (const int position : job.positions[index]) {
            const auto at = std::lower_bound(stats.packed.begin(), stats.packed.end(), first + position);
            result.positions.push_back(
                {job.past[index] + position,
                 outputs.logit_rows[static_cast<std::size_t>(at - stats.packed.begin())]});
        }
        for (std::size_t slot = 0; slot < built.captures.size(); ++slot) {
            const CaptureSlot& info = built.captures[slot];
            if (!info.hook.empty()) {
                result.captures.push_back(
                    {info.hook, info.axes, row_part(info, batch, row, outputs.captures[slot])});
                continue;
            }
            const auto count = static_cast<std::int64_t>(job.positions[index].size());
            result.logits = slice(outputs.captures[slot], {count, info.value.width}, logits_begin);
            logits_begin += count * info.value.width;
        }
    }
    return results;
}

} // namespace vitrine::run

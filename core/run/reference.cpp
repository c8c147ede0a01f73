// Means over a reference and rows of the unedited run, for edits that read them.
#include "core/run/batch.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace vitrine::run {

namespace {

constexpr std::int64_t most_captured = std::int64_t{1} << 26; // elements at once

RunSpec unedited(std::vector<RunRow> rows, const std::set<std::string>& hooks) {
    RunSpec spec;
    spec.rows = std::move(rows);
    spec.loss = false;
    spec.top = 0;
    spec.choice = PositionChoice::list; // of no positions: no logits
    spec.captures.assign(hooks.begin(), hooks.end());
    return spec;
}

/// The mean of a hook over every token of some rows, in float64, or of each position over the rows that have
/// it.
class MeanSum {
public:
    MeanSum(bool exclude_special, bool by_position)
        : exclude_special_(exclude_special), by_position_(by_position) {}

    /// `times`: how often the row occurs. tensor: [positions, …].
    void add(const RunRow& row, double times, const Tensor& tensor) {
        shape_ = {tensor.shape.begin() + 1, tensor.shape.end()};
        const auto width = static_cast<std::size_t>(element_count(shape_));
        const std::size_t lines = by_position_ ? std::max(counts_.size(), row.ids.size()) : 1;
        counts_.resize(lines);
        sums_.resize(lines * width);
        for (std::size_t pos = 0; pos < row.ids.size(); ++pos) {
            if (exclude_special_ && pos < row.special.size() && row.special[pos]) continue;
            const std::size_t line = by_position_ ? pos : 0;
            counts_[line] += times;
            for (std::size_t i = 0; i < width; ++i)
                sums_[line * width + i] += times * static_cast<double>(tensor.data[pos * width + i]);
        }
    }

    /// [heads, width] or [width], by position with an axis of positions before them.
    SharedTensor mean() const {
        Shape shape = shape_;
        if (by_position_) shape.insert(shape.begin(), static_cast<std::int64_t>(counts_.size()));
        Tensor mean(shape);
        const std::size_t width = sums_.size() / std::max<std::size_t>(counts_.size(), 1);
        for (std::size_t i = 0; i < sums_.size(); ++i)
            mean.data[i] = static_cast<float>(sums_[i] / std::max(counts_[i / width], 1.0));
        return std::make_shared<const Tensor>(std::move(mean));
    }

private:
    bool exclude_special_, by_position_;
    Shape shape_;
    std::vector<double> sums_, counts_; ///< by position, or one
};

/// Rows that means are taken over, each once, and the means that edits want of them.
struct MeanGroup {
    std::vector<RunRow> rows;
    std::vector<double> times;
    std::set<std::string> hooks;
    std::map<std::tuple<std::string, bool, bool>, MeanSum> sums; ///< by hook, exclude_special, by_position

    explicit MeanGroup(const std::vector<RunRow>& source) {
        std::map<std::pair<std::vector<std::int32_t>, std::vector<bool>>, std::size_t> known;
        for (const RunRow& row : source) {
            const auto [found, fresh] = known.emplace(std::pair{row.ids, row.special}, rows.size());
            if (fresh) {
                rows.push_back(row);
                times.push_back(0);
            }
            ++times[found->second];
        }
    }

    /// Some rows at a time, so that their captures fit.
    Status run_all(backend::LoadedModel& loaded, const model::Model& model, std::int64_t width,
                   const CancelToken& cancel) {
        for (std::size_t begin = 0; begin < rows.size();) {
            std::size_t end = begin;
            std::int64_t captured = 0;
            for (; end < rows.size(); ++end) {
                captured += width * static_cast<std::int64_t>(rows[end].ids.size());
                if (end > begin && captured > most_captured) break;
            }
            const std::vector<RunRow> some(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                           rows.begin() + static_cast<std::ptrdiff_t>(end));
            VITRINE_ASSIGN(const RunResult clean, run(loaded, model, unedited(some, hooks), cancel, {}));
            for (std::size_t i = 0; i < some.size(); ++i)
                for (auto& [key, sum] : sums)
                    sum.add(some[i], times[begin + i], clean.rows[i].find(std::get<0>(key))->tensor);
            begin = end;
        }
        return {};
    }
};

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
        if (&source != &rows) VITRINE_TRY(match_request(model, unedited(source, {}), false)); // checks them
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

namespace {

/// `from row=`: one run of the rows that are read.
Status fill_rows(backend::LoadedModel& loaded, const model::Model& model, const std::vector<RunRow>& rows,
                 std::vector<MatchedEdit*>& edits, const CancelToken& cancel) {
    std::map<int, std::size_t> wanted; // row → its place in the run
    std::set<std::string> hooks;
    std::vector<RunRow> read;
    for (const MatchedEdit* edit : edits) {
        if (wanted.emplace(edit->spec.from_row, read.size()).second)
            read.push_back(rows[static_cast<std::size_t>(edit->spec.from_row)]);
        for (const model::HookInfo& hook : edit->hooks)
            hooks.insert(hook.name);
    }
    VITRINE_ASSIGN(const RunResult clean, run(loaded, model, unedited(std::move(read), hooks), cancel, {}));
    std::map<std::pair<int, std::string>, SharedTensor> tensors;
    for (MatchedEdit* edit : edits)
        for (const model::HookInfo& hook : edit->hooks) {
            SharedTensor& tensor = tensors[{edit->spec.from_row, hook.name}];
            const RowResult& row = clean.rows[wanted.at(edit->spec.from_row)];
            if (!tensor) tensor = std::make_shared<const Tensor>(row.find(hook.name)->tensor);
            edit->spec.tensors[hook.name] = tensor;
        }
    return {};
}

Status fill_means(backend::LoadedModel& loaded, const model::Model& model, const std::vector<RunRow>& source,
                  std::vector<MatchedEdit*>& edits, const CancelToken& cancel) {
    MeanGroup group(source);
    std::int64_t width = 0; // captured elements of a token
    for (const MatchedEdit* edit : edits)
        for (const model::HookInfo& hook : edit->hooks) {
            const EditSpec& spec = edit->spec;
            group.sums.emplace(std::tuple{hook.name, spec.exclude_special, spec.by_position},
                               MeanSum(spec.exclude_special, spec.by_position));
            if (group.hooks.insert(hook.name).second)
                width += element_count({hook.shape.begin() + 2, hook.shape.end()});
        }
    VITRINE_TRY(group.run_all(loaded, model, width, cancel));
    std::map<std::tuple<std::string, bool, bool>, SharedTensor> means;
    for (const auto& [key, sum] : group.sums)
        means.emplace(key, sum.mean());
    for (MatchedEdit* edit : edits)
        for (const model::HookInfo& hook : edit->hooks)
            edit->spec.tensors[hook.name] =
                means.at({hook.name, edit->spec.exclude_special, edit->spec.by_position});
    return {};
}

bool same_rows(const std::vector<RunRow>& a, const std::vector<RunRow>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const RunRow& x, const RunRow& y) {
        return x.ids == y.ids && x.special == y.special;
    });
}

} // namespace

Status fill_references(backend::LoadedModel& loaded, const model::Model& model,
                       const std::vector<RunRow>& rows, Request& request, const CancelToken& cancel) {
    std::vector<MatchedEdit*> from;
    std::vector<std::pair<std::vector<RunRow>, std::vector<MatchedEdit*>>> means; // by what they are over
    for (MatchedEdit& edit : request.edits) {
        if (!needs_reference(edit.spec)) continue;
        if (edit.spec.op == EditOp::from) {
            from.push_back(&edit);
            continue;
        }
        const std::vector<RunRow>& source = source_of(edit.spec, rows);
        if (!has_token(edit.spec, source)) return no_token(edit.spec);
        auto group = std::find_if(means.begin(), means.end(),
                                  [&](const auto& known) { return same_rows(known.first, source); });
        if (group == means.end()) group = means.insert(group, {source, {}});
        group->second.push_back(&edit);
    }
    if (!from.empty()) VITRINE_TRY(fill_rows(loaded, model, rows, from, cancel));
    for (auto& [source, edits] : means)
        VITRINE_TRY(fill_means(loaded, model, source, edits, cancel));
    return {};
}

} // namespace vitrine::run

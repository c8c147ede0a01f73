#include "core/run/generate.h"

#include <algorithm>
#include <memory>
#include <numeric>

#include <fmt/format.h>

#include "core/run/batch.h"
#include "core/run/read_out.h"
#include "core/run/rotary.h"
#include "core/run/sampler.h"

namespace vitrine::run {

namespace {

/// Keeps what the last query of a plan saw: one position of token values, one query of pairs.
Captured last_query(const Captured& captured) {
    const Shape& shape = captured.tensor.shape;
    Captured last{captured.hook, captured.axes, {}};
    Shape kept = shape;
    if (captured.axes.back() == "key") {
        kept[1] = 1;
        last.tensor = Tensor(kept);
        const auto keys = static_cast<std::size_t>(shape[2]);
        for (std::int64_t head = 0; head < shape[0]; ++head) {
            const auto from = static_cast<std::size_t>((head + 1) * shape[1] - 1) * keys;
            std::copy_n(captured.tensor.data.begin() + static_cast<std::ptrdiff_t>(from), keys,
                        last.tensor.data.begin() + static_cast<std::ptrdiff_t>(head) * shape[2]);
        }
        return last;
    }
    kept[0] = 1;
    last.tensor = Tensor(kept);
    std::copy(captured.tensor.data.end() - last.tensor.size(), captured.tensor.data.end(),
              last.tensor.data.begin());
    return last;
}

std::vector<Alternative> most_likely(const Distribution& distribution, int count) {
    if (count <= 0) return {};
    const std::vector<double>& p = distribution.probabilities;
    std::vector<std::int32_t> ids(p.size());
    std::iota(ids.begin(), ids.end(), 0);
    const auto likelier = [&](std::int32_t a, std::int32_t b) {
        const double left = p[static_cast<std::size_t>(a)], right = p[static_cast<std::size_t>(b)];
        return left != right ? left > right : a < b;
    };
    const auto end = ids.begin() + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(ids.size()));
    std::partial_sort(ids.begin(), end, ids.end(), likelier);
    std::vector<Alternative> out;
    for (auto id = ids.begin(); id != end; ++id)
        out.push_back({*id, p[static_cast<std::size_t>(*id)]});
    return out;
}

/// A row on its way from its prompt to its end.
struct RowState {
    RunRow next;                   ///< tokens of the next plan, with the flags of the whole row
    std::vector<std::int32_t> ids; ///< the prompt and what was drawn so far
    std::vector<bool> special;     ///< by position, of what the cache holds
    int past = 0;                  ///< tokens that the cache holds
    int limit = 0;                 ///< new tokens at most
    bool done = false;
    Sampler sampler;
    GeneratedRow result;
};

/// Some rows of a spec, one token of each a plan, with one cache.
class Group {
public:
    Group(backend::LoadedModel& loaded, const model::Model& model, const GenerateSpec& spec,
          const Request& request, const ReadOut& read_out, std::size_t first, std::size_t count)
        : loaded_(loaded), model_(model), spec_(spec), request_(request), read_out_(read_out), first_(first) {
        for (std::size_t row = first; row < first + count; ++row) {
            const RunRow& prompt = spec.prompt.rows[row];
            const int length = static_cast<int>(prompt.ids.size());
            RowState state{prompt,
                           prompt.ids,
                           {},
                           0,
                           std::max(std::min(spec.max_new, model.spec.context - length), 0),
                           false,
                           Sampler({spec.temperature, spec.top_k, spec.top_p},
                                   spec.seed ^ (static_cast<std::uint64_t>(row) * 0x9E3779B97F4A7C15ULL)),
                           {}};
            state.done = state.limit == 0;
            if (state.done) state.result.stop = "length";
            most_ = std::max(most_, state.limit);
            capacity_ = std::max(capacity_, length + state.limit);
            rows_.push_back(std::move(state));
        }
    }

    /// Whether the cache and the first plan, its largest, stay within what the device wants at once.
    Result<bool> fits() const {
        const backend::Limits limits = loaded_.limits();
        const model::ModelSpec& m = model_.spec;
        const std::uint64_t cache =
            std::uint64_t{2} * sizeof(float) * rows_.size() * static_cast<std::uint64_t>(capacity_) *
            static_cast<std::uint64_t>(m.layers) * static_cast<std::uint64_t>(m.kv_heads) *
            static_cast<std::uint64_t>(m.d_head);
        if (cache > limits.scratch_bytes) return false;
        VITRINE_ASSIGN(const BuiltPlan built, plan_batch(model_, request_, next_job()));
        return run::fits(built, limits);
    }

    /// Room for the keys and values; out_of_memory where the device has not enough.
    Status prepare() {
        VITRINE_ASSIGN(cache_, loaded_.make_cache(static_cast<int>(rows_.size()), capacity_));
        return {};
    }

    Status generate(const std::function<void(const GenerateStep&)>& on_step, const CancelToken& cancel,
                    const Progress& progress) {
        for (int step = 0; step < most_ && !all_done(); ++step) {
            if (progress)
                progress(static_cast<double>(step) / most_, fmt::format("token {} of {}", step + 1, most_));
            VITRINE_TRY(advance(on_step, cancel));
        }
        return {};
    }

    void take(std::vector<GeneratedRow>& out) {
        for (RowState& row : rows_)
            out.push_back(std::move(row.result));
    }

    double run_ms = 0;

private:
    bool all_done() const {
        return std::all_of(rows_.begin(), rows_.end(), [](const RowState& row) { return row.done; });
    }

    BatchJob next_job() const {
        BatchJob job;
        job.first_row = static_cast<int>(first_);
        job.spec_rows = static_cast<int>(spec_.prompt.rows.size());
        job.cached = true;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            const RowState& row = rows_[i];
            job.rows.push_back(row.next);
            job.past.push_back(row.past);
            job.prompt_length.push_back(static_cast<int>(spec_.prompt.rows[first_ + i].ids.size()));
            job.positions.push_back({static_cast<int>(row.next.ids.size()) - 1});
        }
        return job;
    }

    Status advance(const std::function<void(const GenerateStep&)>& on_step, const CancelToken& cancel) {
        VITRINE_TRY(cancel.check());
        const BatchJob job = next_job();
        VITRINE_ASSIGN(const BuiltPlan built, plan_batch(model_, request_, job));
        VITRINE_ASSIGN(backend::Outputs outputs, loaded_.execute(built.plan, cache_.get(), cancel, {}));
        run_ms += outputs.device_ms;
        std::vector<RowResult> results = run::rows_of(built, request_, job, std::move(outputs));
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            RowState& row = rows_[i];
            if (row.past == 0) row.special = row.next.special;
            row.past += static_cast<int>(row.next.ids.size());
            if (!row.done) {
                const std::int32_t id = record(static_cast<int>(first_ + i), row, results[i]);
                if (on_step) on_step(row.result.steps.back());
                go_on(static_cast<int>(i), row, id);
            }
            if (row.done) wait(static_cast<int>(i), row);
        }
        return {};
    }

    /// The drawn token is what the next plan reads, unless the row ends with it.
    void go_on(int at, RowState& row, std::int32_t id) {
        if (std::find(spec_.stop_ids.begin(), spec_.stop_ids.end(), id) != spec_.stop_ids.end())
            row.result.stop = "eos";
        else if (static_cast<int>(row.result.new_ids.size()) == row.limit)
            row.result.stop = "length";
        row.done = !row.result.stop.empty();
        if (row.done) return;
        // `nonspecial` looks at the whole row, so flags of the past go along with each new token.
        row.special.resize(static_cast<std::size_t>(row.past), false);
        row.ids.push_back(id);
        row.next = RunRow{{id}, row.special};
        row.next.special.push_back(false);
        // Keys that were rotated for a shorter row do not fit the grown one: it is read again.
        if (rotation_changes(model_.spec, row.past, row.past + 1)) {
            cache_->truncate(at, 0);
            row.past = 0;
            row.next.ids = row.ids;
        }
    }

    /// A plan has every row of its cache: one that has ended reads its last token again, for nobody.
    void wait(int at, RowState& row) {
        --row.past;
        cache_->truncate(at, row.past);
        row.special.resize(static_cast<std::size_t>(row.past) + 1, false);
        row.next = RunRow{{row.ids[static_cast<std::size_t>(row.past)]}, row.special};
    }

    std::int32_t record(int index, RowState& row, RowResult& result) const {
        const Distribution distribution = distribution_of(result.logits.data);
        GenerateStep step;
        step.row = index;
        step.pos = row.past;
        // Drawn all the same where another token is taken, so that later draws are those of the seed.
        step.id = row.sampler.draw(result.logits.data, distribution);
        if (const auto taken = spec_.forced.find(static_cast<int>(row.result.steps.size()));
            taken != spec_.forced.end())
            step.id = taken->second;
        step.prob = distribution.probabilities[static_cast<std::size_t>(step.id)];
        step.entropy = distribution.entropy;
        step.varentropy = distribution.varentropy;
        step.top1 = distribution.top1;
        step.margin = distribution.margin;
        step.top = most_likely(distribution, spec_.alternatives);
        read_out_.apply(result); // the token was drawn from the model's own logits
        for (const Captured& captured : result.captures)
            step.captures.push_back(last_query(captured));
        row.result.new_ids.push_back(step.id);
        row.result.steps.push_back(std::move(step));
        return row.result.new_ids.back();
    }

    backend::LoadedModel& loaded_;
    const model::Model& model_;
    const GenerateSpec& spec_;
    const Request& request_;
    const ReadOut& read_out_;
    std::size_t first_;
    int most_ = 0;
    int capacity_ = 0;
    std::vector<RowState> rows_;
    std::unique_ptr<backend::KvCache> cache_;
};

/// Rows [first, first + count) together, or as two halves where that is too much for the device.
class Generation {
public:
    Generation(backend::LoadedModel& loaded, const model::Model& model, const GenerateSpec& spec,
               const Request& request, const ReadOut& read_out,
               const std::function<void(const GenerateStep&)>& on_step, const CancelToken& cancel,
               const Progress& progress)
        : loaded_(loaded), model_(model), spec_(spec), request_(request), read_out_(read_out),
          on_step_(on_step), cancel_(cancel), progress_(progress) {}

    Status run(std::size_t first, std::size_t count) {
        Group group(loaded_, model_, spec_, request_, read_out_, first, count);
        bool together = true;
        if (count > 1) {
            VITRINE_ASSIGN(together, group.fits());
        }
        if (together) {
            const Status prepared = group.prepare();
            if (!prepared && (count == 1 || prepared.error().code != Code::out_of_memory)) return prepared;
            together = prepared.has_value();
        }
        if (!together) {
            VITRINE_TRY(run(first, count / 2));
            return run(first + count / 2, count - count / 2);
        }
        const auto all = static_cast<double>(spec_.prompt.rows.size());
        const Progress part = [&](double share, const std::string& what) {
            if (progress_)
                progress_((static_cast<double>(first) + share * static_cast<double>(count)) / all, what);
        };
        VITRINE_TRY(group.generate(on_step_, cancel_, part));
        result.run_ms += group.run_ms;
        group.take(result.rows);
        return {};
    }

    GenerateResult result;

private:
    backend::LoadedModel& loaded_;
    const model::Model& model_;
    const GenerateSpec& spec_;
    const Request& request_;
    const ReadOut& read_out_;
    const std::function<void(const GenerateStep&)>& on_step_;
    const CancelToken& cancel_;
    const Progress& progress_;
};

} // namespace

Result<GenerateResult> generate(backend::LoadedModel& loaded, const model::Model& model,
                                const GenerateSpec& spec,
                                const std::function<void(const GenerateStep&)>& on_step,
                                const CancelToken& cancel, const Progress& progress) {
    VITRINE_TRY(check_sampling(model, spec));
    const RunSpec prompt = prompt_of(spec);
    VITRINE_ASSIGN(Request request, match_request(model, prompt, true));
    VITRINE_TRY(fill_references(loaded, model, prompt.rows, request, cancel));
    const ReadOut read_out(model, prompt, false, request);
    Generation generation(loaded, model, spec, request, read_out, on_step, cancel, progress);
    VITRINE_TRY(generation.run(0, prompt.rows.size()));
    if (!spec.forced.empty())
        for (std::size_t row = 0; row < generation.result.rows.size(); ++row)
            if (const std::size_t steps = generation.result.rows[row].steps.size();
                spec.forced.rbegin()->first >= static_cast<int>(steps))
                return fail(Code::out_of_range,
                            fmt::format("Row {} ends after {} of its steps ({}), before the branch at step "
                                        "{}: choose an earlier step or a shorter prompt.",
                                        row, steps, generation.result.rows[row].stop,
                                        spec.forced.rbegin()->first));
    return std::move(generation.result);
}

} // namespace vitrine::run

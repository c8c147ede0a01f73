#include "core/run/generate.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/run/batch.h"
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

/// One row from its prompt to its end, with a cache of its own.
class RowGenerator {
public:
    RowGenerator(backend::LoadedModel& loaded, const model::Model& model, const GenerateSpec& spec,
                 const Request& request, int row)
        : loaded_(loaded), model_(model), spec_(spec), request_(request), row_(row),
          sampler_({spec.temperature, spec.top_k, spec.top_p},
                   spec.seed ^ (static_cast<std::uint64_t>(row) * 0x9E3779B97F4A7C15ULL)) {}

    Result<GeneratedRow> generate(const std::function<void(const GenerateStep&)>& on_step,
                                  const CancelToken& cancel, const Progress& progress) {
        const RunRow& prompt = spec_.prompt.rows[static_cast<std::size_t>(row_)];
        const int room = model_.spec.context - static_cast<int>(prompt.ids.size());
        const int limit = std::min(spec_.max_new, room);
        const int capacity = static_cast<int>(prompt.ids.size()) + std::max(limit, 0);
        VITRINE_ASSIGN(const auto cache, loaded_.make_cache(1, capacity));
        RunRow next = prompt;
        ids_ = prompt.ids;
        for (int step = 0; step < limit; ++step) {
            if (progress)
                progress(static_cast<double>(step) / limit, fmt::format("token {} of {}", step + 1, limit));
            VITRINE_ASSIGN(const std::int32_t id, advance(next, *cache, cancel));
            if (on_step) on_step(result_.steps.back());
            if (std::find(spec_.stop_ids.begin(), spec_.stop_ids.end(), id) != spec_.stop_ids.end()) {
                result_.stop = "eos";
                return std::move(result_);
            }
            // `nonspecial` looks at the whole row, so flags of the past go along with each new token.
            special_.resize(static_cast<std::size_t>(past_), false);
            ids_.push_back(id);
            next = RunRow{{id}, special_};
            next.special.push_back(false);
            // Keys that were rotated for a shorter row do not fit the grown one: it is read again.
            if (rotation_changes(model_.spec, past_, past_ + 1)) {
                cache->truncate(0, 0);
                past_ = 0;
                next.ids = ids_;
            }
        }
        result_.stop = "length";
        return std::move(result_);
    }

    double run_ms = 0;

private:
    Result<std::int32_t> advance(const RunRow& tokens, backend::KvCache& cache, const CancelToken& cancel) {
        VITRINE_TRY(cancel.check());
        const int prompt_length =
            static_cast<int>(spec_.prompt.rows[static_cast<std::size_t>(row_)].ids.size());
        BatchJob job;
        job.rows = {tokens};
        job.first_row = row_;
        job.spec_rows = static_cast<int>(spec_.prompt.rows.size());
        job.past = {past_};
        job.prompt_length = {prompt_length};
        job.positions = {{static_cast<int>(tokens.ids.size()) - 1}};
        job.cached = true;
        VITRINE_ASSIGN(const BuiltPlan built, plan_batch(model_, request_, job));
        VITRINE_ASSIGN(backend::Outputs outputs, loaded_.execute(built.plan, &cache, cancel, {}));
        run_ms += outputs.device_ms;
        const RowResult row = std::move(rows_of(built, request_, job, std::move(outputs)).front());
        if (past_ == 0) special_ = tokens.special;
        past_ += static_cast<int>(tokens.ids.size());
        return record(row);
    }

    std::int32_t record(const RowResult& row) {
        const Distribution distribution = distribution_of(row.logits.data);
        GenerateStep step;
        step.row = row_;
        step.pos = past_;
        step.id = sampler_.draw(row.logits.data, distribution);
        step.prob = distribution.probabilities[static_cast<std::size_t>(step.id)];
        step.entropy = distribution.entropy;
        step.varentropy = distribution.varentropy;
        step.top1 = distribution.top1;
        step.margin = distribution.margin;
        for (const Captured& captured : row.captures)
            step.captures.push_back(last_query(captured));
        result_.new_ids.push_back(step.id);
        result_.steps.push_back(std::move(step));
        return result_.new_ids.back();
    }

    backend::LoadedModel& loaded_;
    const model::Model& model_;
    const GenerateSpec& spec_;
    const Request& request_;
    int row_;
    int past_ = 0;
    std::vector<std::int32_t> ids_; ///< the prompt and what was drawn so far
    std::vector<bool> special_;
    Sampler sampler_;
    GeneratedRow result_;
};

} // namespace

Result<GenerateResult> generate(backend::LoadedModel& loaded, const model::Model& model,
                                const GenerateSpec& spec,
                                const std::function<void(const GenerateStep&)>& on_step,
                                const CancelToken& cancel, const Progress& progress) {
    VITRINE_TRY(check_sampling(spec));
    const RunSpec prompt = prompt_of(spec);
    VITRINE_ASSIGN(Request request, match_request(model, prompt, true));
    VITRINE_TRY(fill_references(loaded, model, prompt.rows, request, cancel));
    GenerateResult result;
    const auto rows = static_cast<double>(prompt.rows.size());
    for (std::size_t row = 0; row < prompt.rows.size(); ++row) {
        const Progress part = [&](double share, const std::string& what) {
            if (progress) progress((static_cast<double>(row) + share) / rows, what);
        };
        RowGenerator generator(loaded, model, spec, request, static_cast<int>(row));
        VITRINE_ASSIGN(GeneratedRow generated, generator.generate(on_step, cancel, part));
        result.run_ms += generator.run_ms;
        result.rows.push_back(std::move(generated));
    }
    return result;
}

} // namespace vitrine::run

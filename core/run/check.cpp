// What a run or a generation would refuse, found by planning it without executing anything.
#include <fmt/format.h>

#include "core/run/batch.h"
#include "core/run/share.h"

namespace vitrine::run {

namespace {

/// Fails where the edits do not fit the rows of the job. Without edits every plan can be built.
Status try_plan(const model::Model& model, const Request& request, const BatchJob& job) {
    if (request.edits.empty() && request.attention.window == 0) return {};
    VITRINE_TRY(plan_batch(model, request, job));
    return {};
}

/// All rows of a spec, with what it asks of them.
struct Whole {
    Request request;
    BatchJob job;
};

Result<Whole> whole_of(const model::Model& model, const RunSpec& spec) {
    VITRINE_ASSIGN(Request request, match_request(model, spec, false));
    VITRINE_TRY(stand_in_references(model, spec.rows, request));
    std::vector<std::vector<int>> positions;
    for (std::size_t row = 0; row < spec.rows.size(); ++row) {
        VITRINE_ASSIGN(auto chosen, chosen_positions(spec, static_cast<int>(spec.rows[row].ids.size()),
                                                     static_cast<int>(row)));
        positions.push_back(std::move(chosen));
    }
    return Whole{std::move(request), job_of(spec, positions, 0, spec.rows.size())};
}

} // namespace

Result<BuiltPlan> plan_run(const model::Model& model, const RunSpec& spec) {
    VITRINE_ASSIGN(const Whole whole, whole_of(model, spec));
    VITRINE_ASSIGN(BuiltPlan built, plan_batch(model, whole.request, whole.job));
    built.plan = share(std::move(built.plan));
    return built;
}

Status check(const model::Model& model, const RunSpec& spec) {
    VITRINE_ASSIGN(const Whole whole, whole_of(model, spec));
    return try_plan(model, whole.request, whole.job);
}

Status check_sampling(const model::Model& model, const GenerateSpec& spec) {
    if (spec.max_new < 1) return fail(Code::out_of_range, "The number of new tokens must be at least 1.");
    if (!(spec.temperature >= 0)) return fail(Code::out_of_range, "The temperature must be 0 or more.");
    if (spec.top_k < 0) return fail(Code::out_of_range, "top-k must be 0 (no limit) or more.");
    if (!(spec.top_p > 0 && spec.top_p <= 1))
        return fail(Code::out_of_range, "top-p must lie above 0 and at most at 1.");
    if (spec.alternatives < 0)
        return fail(Code::out_of_range, "The number of alternatives must be 0 or more.");
    for (const auto& [step, id] : spec.forced) {
        if (step < 0 || step >= spec.max_new)
            return fail(
                Code::out_of_range,
                fmt::format("A branch at step {} lies outside the {} steps of this generation: choose "
                            "an earlier one, or generate more.",
                            step, spec.max_new));
        if (id < 0 || id >= model.spec.vocab)
            return fail(Code::out_of_range,
                        fmt::format("There is no token {} to branch with: the vocabulary has {} tokens.", id,
                                    model.spec.vocab));
    }
    return {};
}

RunSpec prompt_of(const GenerateSpec& spec) {
    RunSpec prompt = spec.prompt;
    prompt.loss = false;
    prompt.logits = true;
    prompt.top = 0;
    return prompt;
}

Status check(const model::Model& model, const GenerateSpec& spec) {
    VITRINE_TRY(check_sampling(model, spec));
    const RunSpec prompt = prompt_of(spec);
    VITRINE_ASSIGN(Request request, match_request(model, prompt, true));
    VITRINE_TRY(stand_in_references(model, prompt.rows, request));
    std::vector<std::vector<int>> last;
    for (const RunRow& row : prompt.rows)
        last.push_back({static_cast<int>(row.ids.size()) - 1});
    for (std::size_t row = 0; row < prompt.rows.size(); ++row) {
        BatchJob job = job_of(prompt, last, row, 1);
        job.cached = true;
        VITRINE_TRY(try_plan(model, request, job));
    }
    return {};
}

} // namespace vitrine::run

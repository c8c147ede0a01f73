#include "app/cli/bench_work.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cli/bench_specs.h"
#include "app/cli/documents.h"
#include "app/cli/flop.h"
#include "app/cli/peak_rate.h"
#include "app/cli/timing.h"
#include "core/engine/engine.h"
#include "core/run/batch.h"
#include "core/run/runner.h"

namespace vitrine::cli {

namespace {

constexpr int decoded_tokens = 16; // a timed generation

class Bench {
public:
    Bench(const BenchSubject& subject, const BenchPlan& plan, const CancelToken& cancel,
          const Progress& progress)
        : subject_(subject), plan_(plan), cancel_(cancel), progress_(progress) {}

    Result<BenchResult> run() {
        VITRINE_ASSIGN(const auto device, backend::open_backend(subject_.device, subject_.threads));
        result_.device = device->device();
        VITRINE_ASSIGN(description_, engine::describe_model(subject_.name, cancel_, progress_));
        for (const std::vector<int>* lengths : {&plan_.tokens, &plan_.sweep_tokens, &plan_.patch_tokens})
            for (const int tokens : *lengths)
                if (tokens > description_.model.spec.context)
                    return fail(Code::out_of_range,
                                fmt::format("{} tokens are more than the context of {}, which is {}.", tokens,
                                            subject_.name, description_.model.spec.context));
        VITRINE_ASSIGN(result_.peak, peak_rate(*device, subject_.precision, cancel_));
        if (asked("load")) VITRINE_TRY(load(*device));
        VITRINE_ASSIGN(loaded_, device->load(description_.model, subject_.precision, cancel_, progress_));
        for (const std::string& capture : plan_.captures)
            for (const int tokens : plan_.tokens)
                if (asked("forward"))
                    VITRINE_TRY(timed("forward", capture, tokens,
                                      forward_spec(description_.model.spec, tokens, capture != "none")));
        for (const int tokens : plan_.tokens)
            if (asked("decode")) VITRINE_TRY(decode(tokens));
        for (const int tokens : plan_.sweep_tokens)
            if (asked("sweep"))
                VITRINE_TRY(timed("sweep", "none", tokens, sweep_spec(description_.model.spec, tokens)));
        for (const int tokens : plan_.patch_tokens)
            if (asked("patch"))
                VITRINE_TRY(timed("patch", "none", tokens, patch_spec(description_.model.spec, tokens)));
        return std::move(result_);
    }

private:
    bool asked(const char* work) const {
        return std::find(plan_.works.begin(), plan_.works.end(), work) != plan_.works.end();
    }

    Status load(backend::Backend& device) {
        std::vector<double> times;
        reset_peak_memory();
        for (int i = 0; i < plan_.runs; ++i) {
            const Stopwatch clock;
            VITRINE_ASSIGN(const auto description, engine::describe_model(subject_.name, cancel_, progress_));
            VITRINE_TRY(device.load(description.model, subject_.precision, cancel_, progress_));
            times.push_back(clock.ms());
        }
        add_row("load", nullptr, "none", times, 1, 0, 0);
        return {};
    }

    /// A run from its spec to its results.
    Status timed(const char* work, const std::string& capture, int tokens, const run::RunSpec& spec) {
        VITRINE_ASSIGN(const run::BuiltPlan built, run::plan_run(description_.model, spec));
        std::vector<double> times;
        std::vector<double> device_times;
        reset_peak_memory();
        for (int i = 0; i <= plan_.runs; ++i) { // the first one warms up
            const Stopwatch clock;
            VITRINE_ASSIGN(const run::RunResult result,
                           run::run(*loaded_, description_.model, spec, cancel_, progress_));
            if (i == 0) continue;
            times.push_back(clock.ms());
            device_times.push_back(result.run_ms);
        }
        add_row(work, tokens, capture, times, static_cast<int>(spec.rows.size()),
                tokens * static_cast<int>(spec.rows.size()), flop_of(built.plan, description_.model));
        result_.rows.back()["device_ms"] = median(device_times); // without planning and reading back
        return {};
    }

    /// Time from one new token to the next behind a prompt of that length.
    Status decode(int tokens) {
        const int room = description_.model.spec.context - tokens;
        if (room < 2)
            return fail(Code::out_of_range,
                        fmt::format("Behind {} tokens the context of {} has no room to decode.", tokens,
                                    subject_.name));
        run::GenerateSpec spec;
        spec.prompt.rows = {bench_row(description_.model.spec, tokens)};
        spec.prompt.loss = false;
        spec.max_new = std::min(decoded_tokens + 1, room);
        std::vector<double> times;
        reset_peak_memory();
        for (int i = 0; i <= plan_.runs; ++i) {
            double last = -1;
            const Stopwatch clock;
            const auto on_step = [&](const run::GenerateStep&) {
                const double now = clock.ms();
                if (last >= 0 && i > 0) times.push_back(now - last);
                last = now;
            };
            VITRINE_TRY(run::generate(*loaded_, description_.model, spec, on_step, cancel_, progress_));
        }
        const run::RunSpec next = forward_spec(description_.model.spec, 1, false);
        VITRINE_ASSIGN(const run::Request request, run::match_request(description_.model, next, true));
        run::BatchJob job = run::job_of(next, {{0}}, 0, 1);
        job.past = {tokens};
        job.cached = true;
        VITRINE_ASSIGN(const run::BuiltPlan built, run::plan_batch(description_.model, request, job));
        add_row("decode", tokens, "none", times, 1, 1, flop_of(built.plan, description_.model));
        return {};
    }

    void add_row(const char* work, const Json& tokens, const std::string& capture,
                 const std::vector<double>& times, int batch, int tokens_each, std::uint64_t flop) {
        const double middle = median(times);
        result_.rows.push_back(
            {{"work", work},
             {"model", subject_.name},
             {"tokens", tokens},
             {"batch", batch},
             {"capture", capture},
             {"device", result_.device.id},
             {"precision", backend::name_of(subject_.precision)},
             {"median_ms", middle},
             {"min_ms", *std::min_element(times.begin(), times.end())},
             {"runs", plan_.runs},
             {"tokens_per_s", tokens_each == 0 ? Json(nullptr) : number(1000.0 * tokens_each / middle)},
             {"peak_bytes", peak_memory()},
             {"flop", flop == 0 ? Json(nullptr) : Json(flop)},
             {"share_of_peak", flop == 0
                                   ? Json(nullptr)
                                   : number(static_cast<double>(flop) / (middle / 1000) / result_.peak)}});
    }

    const BenchSubject& subject_;
    const BenchPlan& plan_;
    CancelToken cancel_;
    const Progress& progress_;
    BenchResult result_;
    engine::Description description_;
    std::unique_ptr<backend::LoadedModel> loaded_;
};

} // namespace

Result<BenchResult> run_bench(const BenchSubject& subject, const BenchPlan& plan, const CancelToken& cancel,
                              const Progress& progress) {
    return Bench(subject, plan, cancel, progress).run();
}

} // namespace vitrine::cli

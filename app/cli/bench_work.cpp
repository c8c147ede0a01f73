#include "app/cli/bench_work.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/cli/documents.h"
#include "app/cli/flop.h"
#include "app/cli/peak_rate.h"
#include "app/cli/timing.h"
#include "core/engine/engine.h"
#include "core/run/generate.h"
#include "core/run/runner.h"

namespace vitrine::cli {

namespace {

constexpr int decoded_tokens = 16; // a timed generation

run::RunRow row_of(const model::ModelSpec& spec, int tokens) {
    run::RunRow row;
    for (int i = 0; i < tokens; ++i)
        row.ids.push_back(static_cast<std::int32_t>((13 + 7919LL * i) % spec.vocab));
    return row;
}

std::vector<std::string> captures_of(const std::string& capture) {
    if (capture == "none") return {};
    return {"blocks.*.attn.hook_pattern", "blocks.*.hook_resid_*"};
}

class Bench {
public:
    Bench(const BenchSubject& subject, const BenchPlan& plan, const CancelToken& cancel,
          const Progress& progress)
        : subject_(subject), plan_(plan), cancel_(cancel), progress_(progress) {}

    Result<BenchResult> run() {
        VITRINE_ASSIGN(const auto device, backend::open_backend(subject_.device, subject_.threads));
        result_.device = device->device();
        VITRINE_ASSIGN(description_, engine::describe_model(subject_.name, cancel_, progress_));
        for (const int tokens : plan_.tokens)
            if (tokens > description_.model.spec.context)
                return fail(Code::out_of_range,
                            fmt::format("{} tokens are more than the context of {}, which is {}.", tokens,
                                        subject_.name, description_.model.spec.context));
        VITRINE_ASSIGN(result_.peak, peak_rate(*device, subject_.precision, cancel_));
        if (asked("load")) VITRINE_TRY(load(*device));
        VITRINE_ASSIGN(loaded_, device->load(description_.model, subject_.precision, cancel_, progress_));
        for (const std::string& capture : plan_.captures)
            for (const int tokens : plan_.tokens)
                if (asked("forward")) VITRINE_TRY(forward(tokens, capture));
        for (const int tokens : plan_.tokens)
            if (asked("decode")) VITRINE_TRY(decode(tokens));
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
        add_row("load", nullptr, "none", times, 0, 0);
        return {};
    }

    Status forward(int tokens, const std::string& capture) {
        run::RunSpec spec;
        spec.rows = {row_of(description_.model.spec, tokens)};
        spec.captures = captures_of(capture);
        spec.top = 1;
        spec.loss = false;
        std::vector<double> times;
        reset_peak_memory();
        for (int i = 0; i <= plan_.runs; ++i) { // the first one warms up
            const Stopwatch clock;
            VITRINE_TRY(run::run(*loaded_, description_.model, spec, cancel_, progress_));
            if (i > 0) times.push_back(clock.ms());
        }
        add_row("forward", tokens, capture, times, tokens, forward_flop(description_.model.spec, tokens, 0));
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
        spec.prompt.rows = {row_of(description_.model.spec, tokens)};
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
        add_row("decode", tokens, "none", times, 1, forward_flop(description_.model.spec, 1, tokens));
        return {};
    }

    void add_row(const char* work, const Json& tokens, const std::string& capture,
                 const std::vector<double>& times, int tokens_each, std::uint64_t flop) {
        const double middle = median(times);
        result_.rows.push_back(
            {{"work", work},
             {"model", subject_.name},
             {"tokens", tokens},
             {"batch", 1},
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

#include "core/run/runner.h"

#include <chrono>

#include "core/run/batch.h"
#include "core/run/read_out.h"
#include "core/run/share.h"

namespace vitrine::run {

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Runs rows [first, first + count) as one plan, or as two halves where one does not fit.
class Splitter {
public:
    Splitter(backend::LoadedModel& loaded, const model::Model& model, const RunSpec& spec,
             const Request& request, const ReadOut& read_out, const CancelToken& cancel,
             const Progress& progress)
        : loaded_(loaded), model_(model), spec_(spec), request_(request), read_out_(read_out),
          cancel_(cancel), progress_(progress) {}

    Status prepare() {
        for (std::size_t row = 0; row < spec_.rows.size(); ++row) {
            VITRINE_ASSIGN(auto chosen, chosen_positions(spec_, static_cast<int>(spec_.rows[row].ids.size()),
                                                         static_cast<int>(row)));
            positions_.push_back(std::move(chosen));
        }
        return {};
    }

    Status run(std::size_t first, std::size_t count) {
        VITRINE_TRY(cancel_.check());
        const BatchJob job = job_of(spec_, positions_, first, count);
        VITRINE_ASSIGN(const BuiltPlan built, planned(job));
        VITRINE_ASSIGN(const bool split, better_in_two(built, first, count));
        if (split) {
            VITRINE_TRY(run(first, count / 2));
            return run(first + count / 2, count - count / 2);
        }
        const auto total = static_cast<double>(spec_.rows.size());
        const Progress part = [&](double share, const std::string& what) {
            if (progress_)
                progress_((static_cast<double>(first) + share * static_cast<double>(count)) / total, what);
        };
        VITRINE_ASSIGN(backend::Outputs outputs, loaded_.execute(built.plan, nullptr, cancel_, part));
        result.run_ms += outputs.device_ms;
        result.scratch_bytes = std::max(result.scratch_bytes, outputs.scratch_bytes);
        const auto start = std::chrono::steady_clock::now();
        for (RowResult& row : rows_of(built, request_, job, std::move(outputs))) {
            read_out_.apply(row);
            result.rows.push_back(std::move(row));
        }
        result.read_ms += milliseconds_since(start);
        return {};
    }

    RunResult result;

private:
    Result<BuiltPlan> planned(const BatchJob& job) const {
        VITRINE_ASSIGN(BuiltPlan built, plan_batch(model_, request_, job));
        built.plan = share(std::move(built.plan));
        return built;
    }

    /// Where a plan is larger than is worthwhile, it is cut unless it holds little more than one of its rows:
    /// those that begin alike are computed together.
    Result<bool> better_in_two(const BuiltPlan& built, std::size_t first, std::size_t count) const {
        if (count == 1) return false;
        const backend::Limits limits = loaded_.limits();
        if (!fits(built, limits)) return true;
        const std::uint64_t bytes = bytes_of(built);
        if (limits.worthwhile_bytes == 0 || bytes <= limits.worthwhile_bytes) return false;
        constexpr std::uint64_t rows_in_common = 8;
        VITRINE_ASSIGN(const BuiltPlan one, planned(job_of(spec_, positions_, first, 1)));
        return bytes > rows_in_common * bytes_of(one);
    }

    backend::LoadedModel& loaded_;
    const model::Model& model_;
    const RunSpec& spec_;
    const Request& request_;
    const ReadOut& read_out_;
    const CancelToken& cancel_;
    const Progress& progress_;
    std::vector<std::vector<int>> positions_;
};

} // namespace

const Captured* RowResult::find(const std::string& hook) const {
    for (const Captured& captured : captures)
        if (captured.hook == hook) return &captured;
    return nullptr;
}

Result<RunResult> run(backend::LoadedModel& loaded, const model::Model& model, const RunSpec& spec,
                      const CancelToken& cancel, const Progress& progress) {
    VITRINE_ASSIGN(Request request, match_request(model, spec, false));
    VITRINE_TRY(fill_references(loaded, model, spec.rows, request, cancel));
    const ReadOut read_out(model, spec, true, request);
    Splitter splitter(loaded, model, spec, request, read_out, cancel, progress);
    VITRINE_TRY(splitter.prepare());
    VITRINE_TRY(splitter.run(0, spec.rows.size()));
    return std::move(splitter.result);
}

} // namespace vitrine::run

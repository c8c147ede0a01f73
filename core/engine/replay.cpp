#include "core/engine/replay.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/base/scratch_folder.h"
#include "core/engine/engine.h"
#include "core/model/shapes.h"
#include "core/run/spec_json.h"

namespace vitrine::engine {

namespace {

class Replay {
public:
    Replay(const session::Session& session, const ReplayOptions& options, const CancelToken& cancel,
           const Progress& progress)
        : session_(session), options_(options), cancel_(cancel), progress_(progress) {}

    Result<std::vector<ReplayedStep>> run() {
        VITRINE_ASSIGN(const auto steps, session_.steps());
        VITRINE_ASSIGN(const ScratchFolder scratch, ScratchFolder::make());
        VITRINE_TRY(engine_.open_session(scratch.path() / "scratch"));
        std::vector<ReplayedStep> replayed;
        for (const session::Step& step : steps) {
            VITRINE_TRY(cancel_.check());
            if (step.seq < options_.from || step.status != session::StepStatus::done) continue;
            if (step.kind == "accept-check") continue; // what a person said is not computed again
            if (progress_)
                progress_(static_cast<double>(replayed.size()) / static_cast<double>(steps.size()),
                          fmt::format("replaying step {}", step.seq));
            VITRINE_ASSIGN(ReplayedStep again, repeat(step));
            replayed.push_back(std::move(again));
        }
        engine_.close_session();
        return replayed;
    }

private:
    Result<ReplayedStep> repeat(const session::Step& step) {
        VITRINE_ASSIGN(const Json spec, parse_json(step.spec, fmt::format("The spec of step {}", step.seq)));
        const auto model = open_model(step, spec);
        if (!model)
            return fail(model.error().code,
                        fmt::format("Step {} cannot be replayed: {}", step.seq, model.error().message));
        const auto start = std::chrono::steady_clock::now();
        const auto made = execute(**model, step, spec);
        if (!made) return tl::unexpected(made.error());
        ReplayedStep again;
        again.seq = step.seq;
        again.device = (*model)->loaded->device().name;
        again.precision = backend::name_of((*model)->loaded->precision());
        again.ms =
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        VITRINE_ASSIGN(const auto stored, session_.step(step.seq));
        VITRINE_ASSIGN(const auto fresh, engine_.session()->step(*made));
        const double tolerance =
            std::max(store::replay_tolerance(step.precision), store::replay_tolerance(again.precision));
        VITRINE_ASSIGN(again.drift,
                       store::compare_artifacts(session_.folder(), stored.artifacts,
                                                engine_.session()->folder(), fresh.artifacts, tolerance));
        return again;
    }

    /// The step's model, kept open while the next steps use it too.
    Result<std::shared_ptr<OpenModel>> open_model(const session::Step& step, const Json& spec) {
        ModelRequest request;
        request.name = spec.value("model", std::string());
        const auto& shapes = model::shape_names();
        const bool by_name = request.name == "default" ||
                             std::find(shapes.begin(), shapes.end(), request.name) != shapes.end();
        // A relative path may mean another folder now; where the weights lay is in the journal.
        if (!by_name && step.model && !step.model->path.empty()) request.name = step.model->path;
        request.device = options_.device.value_or(step.device.name);
        request.precision = options_.precision.value_or(
            step.precision == "mixed" ? backend::Precision::mixed : backend::Precision::exact);
        request.threads = options_.threads;
        if (open_ && open_->request.name == request.name && open_->request.device == request.device &&
            open_->request.precision == request.precision)
            return open_;
        VITRINE_ASSIGN(open_, engine_.open_model(request, cancel_, progress_));
        if (step.model && open_->model.weights_hash != step.model->weights_hash)
            return fail(Code::session,
                        fmt::format("{} has other weights now than it had then.", request.name));
        return open_;
    }

    /// Does the step again; returns its number in the scratch session.
    Result<std::int64_t> execute(OpenModel& model, const session::Step& step, const Json& spec) {
        if (step.kind == "run" && spec.contains("run")) {
            VITRINE_ASSIGN(const auto run_spec, run::run_spec_from_json(spec["run"]));
            VITRINE_ASSIGN(const auto record, engine_.run(model, run_spec, cancel_, progress_));
            return record.step;
        }
        if (step.kind == "generate" && spec.contains("generate")) {
            VITRINE_ASSIGN(const auto generate_spec, run::generate_spec_from_json(spec["generate"]));
            VITRINE_ASSIGN(const auto record, engine_.generate(model, generate_spec, {}, cancel_, progress_));
            return record.step;
        }
        if (step.kind == "analyze" && spec.contains("analyze")) {
            const Json& analysis = spec["analyze"];
            VITRINE_ASSIGN(const auto prompts,
                           run::run_spec_from_json(analysis.value("run", Json::object())));
            VITRINE_ASSIGN(const auto record,
                           engine_.analyze(model, analysis.value("id", std::string()),
                                           analysis.value("parameters", Json::object()), prompts.rows,
                                           cancel_, progress_, true, prompts.edits));
            return record.step;
        }
        return fail(Code::unsupported,
                    fmt::format("Step {} is of a kind, \"{}\", that this version cannot replay.", step.seq,
                                step.kind));
    }

    const session::Session& session_;
    const ReplayOptions& options_;
    CancelToken cancel_;
    const Progress& progress_;
    Engine engine_;
    std::shared_ptr<OpenModel> open_;
};

} // namespace

Result<std::vector<ReplayedStep>> replay(const session::Session& session, const ReplayOptions& options,
                                         const CancelToken& cancel, const Progress& progress) {
    return Replay(session, options, cancel, progress).run();
}

} // namespace vitrine::engine

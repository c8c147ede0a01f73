#include "core/engine/replay.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "core/base/scratch_folder.h"
#include "core/engine/engine.h"
#include "core/model/shapes.h"
#include "core/run/spec_json.h"

namespace vitrine::engine {

struct Replay::State {
    explicit State(ReplayOptions given) : options(std::move(given)) {}

    Result<std::vector<ReplayedStep>> go_on(const session::Session& session, const CancelToken& cancel,
                                            const Progress& progress) {
        VITRINE_ASSIGN(const auto steps, session.steps());
        if (!scratch) {
            VITRINE_ASSIGN(ScratchFolder made, ScratchFolder::make());
            VITRINE_TRY(engine.open_session(made.path() / "scratch"));
            scratch.emplace(std::move(made));
            folder = session.folder();
            last = steps.empty() ? 0 : steps.back().seq;
            next = options.from;
        } else if (session.folder() != folder) {
            return fail(Code::session, "The session was closed while it was replayed: replay it again.");
        }
        for (const session::Step& step : steps) {
            VITRINE_TRY(cancel.check());
            if (step.seq < next || step.seq > last || step.status != session::StepStatus::done) continue;
            if (step.kind == "accept-check") continue; // what a person said is not computed again
            if (progress)
                progress(static_cast<double>(replayed.size()) / static_cast<double>(steps.size()),
                         fmt::format("replaying step {}", step.seq));
            VITRINE_ASSIGN(ReplayedStep again, repeat(session, step, cancel, progress));
            replayed.push_back(std::move(again));
            next = step.seq + 1;
        }
        return replayed;
    }

    Result<ReplayedStep> repeat(const session::Session& session, const session::Step& step,
                                const CancelToken& cancel, const Progress& progress) {
        VITRINE_ASSIGN(const Json spec, parse_json(step.spec, fmt::format("The spec of step {}", step.seq)));
        const auto model = open_model(step, spec, cancel, progress);
        if (!model)
            return fail(model.error().code,
                        fmt::format("Step {} cannot be replayed: {}", step.seq, model.error().message));
        const auto start = std::chrono::steady_clock::now();
        const auto made = execute(**model, step, spec, cancel, progress);
        if (!made) return tl::unexpected(made.error());
        ReplayedStep again;
        again.seq = step.seq;
        again.device = (*model)->loaded->device().name;
        again.precision = backend::name_of((*model)->loaded->precision());
        again.ms =
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        VITRINE_ASSIGN(const auto stored, session.step(step.seq));
        VITRINE_ASSIGN(const auto fresh, engine.session()->step(*made));
        const double tolerance =
            std::max(store::replay_tolerance(step.precision), store::replay_tolerance(again.precision));
        VITRINE_ASSIGN(again.drift,
                       store::compare_artifacts(session.folder(), stored.artifacts,
                                                engine.session()->folder(), fresh.artifacts, tolerance));
        return again;
    }

    /// The step's model, kept open while the next steps use it too.
    Result<std::shared_ptr<OpenModel>> open_model(const session::Step& step, const Json& spec,
                                                  const CancelToken& cancel, const Progress& progress) {
        ModelRequest request;
        request.name = spec.value("model", std::string());
        const auto& shapes = model::shape_names();
        const bool by_name = request.name == "default" ||
                             std::find(shapes.begin(), shapes.end(), request.name) != shapes.end();
        // A relative path may mean another folder now; where the weights lay is in the journal.
        if (!by_name && step.model && !step.model->path.empty()) request.name = step.model->path;
        request.device = options.device.value_or(step.device.name);
        request.precision = options.precision.value_or(step.precision == "mixed" ? backend::Precision::mixed
                                                                                 : backend::Precision::exact);
        request.threads = options.threads;
        if (open && open->request.name == request.name && open->request.device == request.device &&
            open->request.precision == request.precision)
            return open;
        VITRINE_ASSIGN(open, engine.open_model(request, cancel, progress));
        if (step.model && open->model.weights_hash != step.model->weights_hash)
            return fail(Code::session,
                        fmt::format("{} has other weights now than it had then.", request.name));
        return open;
    }

    /// Does the step again; returns its number in the scratch session.
    Result<std::int64_t> execute(OpenModel& model, const session::Step& step, const Json& spec,
                                 const CancelToken& cancel, const Progress& progress) {
        if (step.kind == "run" && spec.contains("run")) {
            VITRINE_ASSIGN(const auto run_spec, run::run_spec_from_json(spec["run"]));
            VITRINE_ASSIGN(const auto record, engine.run(model, run_spec, cancel, progress));
            return record.step;
        }
        if (step.kind == "generate" && spec.contains("generate")) {
            VITRINE_ASSIGN(const auto generate_spec, run::generate_spec_from_json(spec["generate"]));
            VITRINE_ASSIGN(const auto record, engine.generate(model, generate_spec, {}, cancel, progress));
            return record.step;
        }
        if (step.kind == "analyze" && spec.contains("analyze")) {
            const Json& analysis = spec["analyze"];
            VITRINE_ASSIGN(const auto prompts,
                           run::run_spec_from_json(analysis.value("run", Json::object())));
            VITRINE_ASSIGN(const auto record,
                           engine.analyze(model, analysis.value("id", std::string()),
                                          analysis.value("parameters", Json::object()), prompts.rows, cancel,
                                          progress, true, {prompts.edits, prompts.attention}));
            return record.step;
        }
        return fail(Code::unsupported,
                    fmt::format("Step {} is of a kind, \"{}\", that this version cannot replay.", step.seq,
                                step.kind));
    }

    ReplayOptions options;
    std::optional<ScratchFolder> scratch;
    std::filesystem::path folder; ///< of the session
    std::int64_t next = 1, last = 0;
    std::vector<ReplayedStep> replayed;
    Engine engine;
    std::shared_ptr<OpenModel> open;
};

Replay::Replay(ReplayOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Replay::~Replay() = default;
Replay::Replay(Replay&&) noexcept = default;
Replay& Replay::operator=(Replay&&) noexcept = default;

Result<std::vector<ReplayedStep>> Replay::go_on(const session::Session& session, const CancelToken& cancel,
                                                const Progress& progress) {
    return state_->go_on(session, cancel, progress);
}

Result<std::vector<ReplayedStep>> replay(const session::Session& session, const ReplayOptions& options,
                                         const CancelToken& cancel, const Progress& progress) {
    return Replay(options).go_on(session, cancel, progress);
}

} // namespace vitrine::engine

#include "core/engine/engine.h"

#include <fmt/format.h>

#include "core/base/version.h"
#include "core/engine/analysis_host.h"
#include "core/engine/analysis_parameters.h"
#include "core/engine/recorder.h"
#include "core/run/runner.h"
#include "core/run/spec_json.h"

namespace vitrine::engine {

struct Engine::State {
    std::optional<session::Session> session;
};

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

Result<std::shared_ptr<OpenModel>> Engine::open_model(const ModelRequest& request, const CancelToken& cancel,
                                                      const Progress& progress) {
    return engine::open_model(request, cancel, progress);
}

Status Engine::open_session(const std::filesystem::path& folder) {
    state_->session.reset(); // gives up its lock first: it may be the same folder
    VITRINE_ASSIGN(state_->session, session::Session::open_or_create(folder));
    return {};
}

void Engine::close_session() { state_->session.reset(); }

session::Session* Engine::session() { return state_->session ? &*state_->session : nullptr; }

Result<RunRecord> Engine::run(OpenModel& model, const run::RunSpec& spec, const CancelToken& cancel,
                              const Progress& progress, bool record) {
    VITRINE_TRY(run::check(model.model, spec, false));
    const Json json{{"model", model.request.name}, {"run", run::to_json(spec)}};
    VITRINE_ASSIGN(StepRecorder step, StepRecorder::begin(record ? session() : nullptr, model, "run", json));
    auto result = run::run(*model.loaded, model.model, spec, cancel, progress);
    if (!result) return step.fail_with(result.error());
    VITRINE_ASSIGN(const std::int64_t seq, step.finish([&](store::ActivationWriter& writer) {
        return write_run(writer, spec, *result);
    }));
    return RunRecord{spec, std::move(*result), seq};
}

Result<GenerateRecord> Engine::generate(OpenModel& model, const run::GenerateSpec& spec,
                                        const std::function<void(const run::GenerateStep&)>& on_step,
                                        const CancelToken& cancel, const Progress& progress) {
    VITRINE_TRY(run::check(model.model, spec.prompt, true));
    const Json json{{"model", model.request.name}, {"generate", run::to_json(spec)}};
    VITRINE_ASSIGN(StepRecorder step, StepRecorder::begin(session(), model, "generate", json));
    auto result = run::generate(*model.loaded, model.model, spec, on_step, cancel, progress);
    if (!result) return step.fail_with(result.error());
    VITRINE_ASSIGN(const std::int64_t seq, step.finish([&](store::ActivationWriter& writer) {
        return write_generation(writer, spec, *result);
    }));
    return GenerateRecord{spec, std::move(*result), seq};
}

Json Engine::manifests() const { return engine::manifests(); }

Result<AnalysisRecord> Engine::analyze(OpenModel& model, const std::string& id, const Json& parameters,
                                       const std::vector<run::RunRow>& rows, const CancelToken& cancel,
                                       const Progress& progress) {
    VITRINE_ASSIGN(const RegisteredAnalysis* analysis, find_analysis(id));
    AnalysisRecord record;
    record.id = id;
    const TokenOfText token_of = [&](std::string_view text) -> Result<std::int32_t> {
        if (const auto id = model.tokenizer->single_token(text)) return *id;
        return fail(Code::usage,
                    fmt::format("\"{}\" is not exactly one token of this model; a leading space is part "
                                "of a token.",
                                text));
    };
    VITRINE_ASSIGN(record.parameters, check_parameters(analysis->manifest, parameters,
                                                       model.tokenizer ? token_of : TokenOfText()));
    run::RunSpec prompts;
    prompts.rows = rows;
    if (!rows.empty()) VITRINE_TRY(run::check(model.model, prompts, false));
    Json ids = Json::array();
    for (const run::RunRow& row : rows)
        ids.push_back(row.ids);
    record.provenance = {{"model", model.request.name},
                         {"weights_hash", model.model.weights_hash},
                         {"device", model.loaded->device().name},
                         {"driver", model.loaded->device().driver},
                         {"precision", backend::name_of(model.loaded->precision())},
                         {"version", version()},
                         {"ids", std::move(ids)}};
    const Json json{
        {"model", model.request.name},
        {"analyze", {{"id", id}, {"parameters", record.parameters}, {"run", run::to_json(prompts)}}}};
    VITRINE_ASSIGN(StepRecorder step, StepRecorder::begin(session(), model, "analyze", json));

    AnalysisServices services;
    services.model = &model.model;
    services.stop_ids = model.stop_ids;
    services.run = [&](const run::RunSpec& spec) {
        return run::run(*model.loaded, model.model, spec, cancel, progress);
    };
    services.generate = [&](const run::GenerateSpec& spec) {
        return run::generate(*model.loaded, model.model, spec, {}, cancel, progress);
    };
    if (model.tokenizer) {
        services.bos = model.tokenizer->bos();
        for (std::int32_t token = 0; token < model.model.spec.vocab; ++token)
            if (model.tokenizer->is_special(token)) services.special_ids.push_back(token);
        services.token_text = [&](std::int32_t id_) { return model.tokenizer->token_text(id_); };
    }
    auto results = run_analysis(*analysis, record.parameters, rows, services, cancel, progress);
    if (!results) return step.fail_with(results.error());
    record.results = std::move(*results);
    VITRINE_ASSIGN(record.step, step.finish([&](store::ActivationWriter& writer) {
        return write_results(writer, record.results);
    }));
    return record;
}

} // namespace vitrine::engine

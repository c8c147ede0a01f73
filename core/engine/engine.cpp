#include "core/engine/engine.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/base/mapped_file.h"
#include "core/base/memory.h"
#include "core/base/version.h"
#include "core/catalogue/checkpoints.h"
#include "core/engine/analysis_host.h"
#include "core/engine/analysis_parameters.h"
#include "core/engine/check_cache.h"
#include "core/engine/head_captures.h"
#include "core/engine/parameter_rows.h"
#include "core/engine/recorder.h"
#include "core/engine/row_marks.h"
#include "core/engine/tuned_lens.h"
#include "core/model/folding.h"
#include "core/run/runner.h"
#include "core/run/spec_json.h"

namespace vitrine::engine {

namespace {

namespace fs = std::filesystem;

constexpr const char* no_room =
    "There is not enough memory for this; use fewer or shorter rows, or capture less.";

Status check_rowless(const std::vector<run::EditSpec>& edits) {
    for (const run::EditSpec& edit : edits)
        if (!edit.row.all || edit.from_row != run::absent)
            return fail(
                Code::unsupported,
                fmt::format("The edit of {} names a row, and an analysis makes rows of its own; switch "
                            "it off or leave its row out.",
                            edit.hook));
    return {};
}

/// The policy of one of an analysis' runs: the one that it is asked under, or its own.
Status put_policy(const run::AttentionPolicy& given, run::AttentionPolicy& own) {
    if (given.window == 0 || own == given) return {};
    if (own.window > 0)
        return fail(Code::unsupported,
                    fmt::format("This analysis sets itself which keys a run sees ({}): switch the attention "
                                "policy off, or leave --attention out.",
                                run::to_text(own)));
    own = given;
    return {};
}

Result<std::vector<catalogue::Checkpoint>> checkpoints_for(const OpenModel& model) {
    auto found = catalogue::checkpoints_of(model.model.path);
    if (found.size() < 2)
        return fail(Code::not_found,
                    fmt::format("{} is no training: open a folder that holds at least two checkpoints of one "
                                "model, each in a folder named step-1000, checkpoint-500 or the like.",
                                model.request.name));
    return found;
}

// One checkpoint on the model's device; it must be the same model at another time.
Result<std::shared_ptr<OpenModel>> open_checkpoint(const OpenModel& model,
                                                   const std::vector<catalogue::Checkpoint>& all,
                                                   const std::string& name, const CancelToken& cancel) {
    const auto point =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    ModelRequest request = model.request;
    request.name = point->path.string();
    VITRINE_ASSIGN(auto open, open_model(request, cancel, {}));
    const auto shape = [](const model::ModelSpec& spec) {
        return fmt::format("{} with {} layers of {} heads of {}, width {}, {} neurons and {} tokens",
                           spec.family, spec.layers, spec.heads, spec.d_head, spec.d_model, spec.d_ff,
                           spec.vocab);
    };
    const std::string theirs = shape(open->model.spec), ours = shape(model.model.spec);
    if (theirs != ours)
        return fail(
            Code::unsupported,
            fmt::format("{} is {}, and the model is {}: leave it out of the folder, since checkpoints "
                        "of one training have one shape.",
                        request.name, theirs, ours));
    return open;
}

/// A text parameter may be read from a file, written @FILE: what is in it goes into the journal.
Status read_files(const Json& manifest, Json& parameters) {
    constexpr std::size_t largest = std::size_t{16} << 20;
    for (const Json& entry : manifest.at("parameters")) {
        const auto name = entry.at("name").get<std::string>();
        if (entry.at("type") != "text" || entry.contains("reads") || !parameters.at(name).is_string())
            continue;
        const auto text = parameters.at(name).get<std::string>();
        if (text.size() < 2 || text.front() != '@') continue;
        VITRINE_ASSIGN(parameters[name], read_text(text.substr(1), largest));
    }
    return {};
}

/// What the parameters' files hold; paths become absolute, so that a session can be replayed from anywhere.
Result<TunedLens> read_lens(const Json& manifest, const model::ModelSpec& model, Json& parameters) {
    for (const Json& entry : manifest.at("parameters")) {
        const auto name = entry.at("name").get<std::string>();
        if (entry.value("reads", "") != "tuned-lens" || !parameters.at(name).is_string()) continue;
        std::error_code ignored;
        const fs::path path =
            fs::absolute(parameters.at(name).get<std::string>(), ignored).lexically_normal();
        VITRINE_ASSIGN(auto lens, read_tuned_lens(path, model));
        parameters[name] = path.string();
        return lens;
    }
    return TunedLens{};
}

} // namespace

struct Engine::State {
    std::optional<session::Session> session;
    fs::path later; ///< a session to open when a step begins; empty: none

    Result<BegunStep> begin_step(const session::NewStep& step) {
        if (later.empty()) return begin_in_session(step);
        std::error_code ignored;
        const bool was_there = fs::exists(later, ignored);
        const bool had_files = was_there && !fs::is_empty(later, ignored);
        VITRINE_ASSIGN(session, session::Session::open_or_create(later));
        auto begun = begin_in_session(step);
        if (begun) {
            later.clear();
        } else {
            session.reset();
            // What was made for this step alone goes again.
            if (!had_files) fs::remove_all(later, ignored);
            if (was_there && !had_files) fs::create_directory(later, ignored);
        }
        return begun;
    }

    Result<BegunStep> begin_in_session(const session::NewStep& step) {
        if (!session) return BegunStep{};
        VITRINE_ASSIGN(const std::int64_t seq, session->begin_step(step));
        return BegunStep{&*session, seq};
    }

    BeginStep recording() {
        return [this](const session::NewStep& step) { return begin_step(step); };
    }
};

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

Result<std::shared_ptr<OpenModel>> Engine::open_model(const ModelRequest& request, const CancelToken& cancel,
                                                      const Progress& progress) {
    return within_memory("There is not enough memory for this model; use a smaller one.",
                         [&] { return engine::open_model(request, cancel, progress); });
}

Status Engine::open_session(const std::filesystem::path& folder) {
    close_session(); // gives up its lock first: it may be the same folder
    VITRINE_ASSIGN(state_->session, session::Session::open_or_create(folder));
    return {};
}

void Engine::record_in(const std::filesystem::path& folder) {
    close_session();
    state_->later = folder;
}

void Engine::close_session() {
    state_->session.reset();
    state_->later.clear();
}

session::Session* Engine::session() { return state_->session ? &*state_->session : nullptr; }

Result<RunRecord> Engine::run(OpenModel& model, const run::RunSpec& spec, const CancelToken& cancel,
                              const Progress& progress, bool record) {
    VITRINE_TRY(run::check(model.model, spec));
    const Json json{{"model", model.request.name}, {"run", run::to_json(spec)}};
    StepRecorder step(record ? state_->recording() : BeginStep(), model, "run", json, spec.coordinates);
    VITRINE_TRY(step.begin());
    auto result =
        within_memory(no_room, [&] { return run::run(*model.loaded, model.model, spec, cancel, progress); });
    if (!result) return step.fail_with(result.error());
    VITRINE_ASSIGN(const std::int64_t seq, step.finish([&](store::ActivationWriter& writer) {
        return write_run(writer, spec, *result);
    }));
    return RunRecord{spec, std::move(*result), seq};
}

Result<std::int64_t> Engine::record_made(OpenModel& model, const RunRecord& made) {
    run::RunSpec spec = made.spec;
    spec.captures.clear();
    run::RunResult kept;
    for (const run::RowResult& row : made.result.rows)
        kept.rows.push_back({row.positions, row.token_nll, row.loss, {}, {}});
    const Json json{{"model", model.request.name}, {"run", run::to_json(spec)}};
    StepRecorder step(state_->recording(), model, "run", json, spec.coordinates);
    step.took(made.result.run_ms + made.result.read_ms);
    return step.finish([&](store::ActivationWriter& writer) { return write_run(writer, spec, kept); });
}

Result<GenerateRecord> Engine::generate(OpenModel& model, const run::GenerateSpec& spec,
                                        const std::function<void(const run::GenerateStep&)>& on_step,
                                        const CancelToken& cancel, const Progress& progress,
                                        std::int64_t parent) {
    VITRINE_TRY(run::check(model.model, spec));
    const Json json{{"model", model.request.name}, {"generate", run::to_json(spec)}};
    StepRecorder step(state_->recording(), model, "generate", json, spec.prompt.coordinates);
    if (parent != 0) step.reads({"parent", parent, {}, {}, {}});
    VITRINE_TRY(step.begin());
    auto result = within_memory(
        no_room, [&] { return run::generate(*model.loaded, model.model, spec, on_step, cancel, progress); });
    if (!result) return step.fail_with(result.error());
    VITRINE_ASSIGN(const std::int64_t seq, step.finish([&](store::ActivationWriter& writer) {
        return write_generation(writer, spec, *result);
    }));
    return GenerateRecord{spec, std::move(*result), seq};
}

Result<SelfCheck> Engine::accept_check(OpenModel& model, const SelfCheck& check) {
    SelfCheck accepted = check;
    accepted.accepted = true;
    const Json json{{"model", model.request.name},
                    {"accept_check",
                     {{"max_abs_dlogit", check.max_abs_dlogit},
                      {"band", check.band},
                      {"kl", check.kl},
                      {"first_divergent", check.first_divergent},
                      {"measured", check.measured}}}};
    StepRecorder step(state_->recording(), model, "accept-check", json, model::Coordinates::raw);
    VITRINE_TRY(step.finish([&](store::ActivationWriter& writer) {
        return writer.add_text("/accepted", dump_json(json["accept_check"]));
    }));
    keep_check(model, accepted);
    return accepted;
}

Json Engine::manifests() const { return engine::manifests(); }

Result<AnalysisRecord> Engine::analyze(OpenModel& model, const std::string& id, const Json& parameters,
                                       const std::vector<run::RunRow>& rows, const CancelToken& cancel,
                                       const Progress& progress, bool keep, const Changes& changes) {
    const std::vector<run::EditSpec>& edits = changes.edits;
    VITRINE_TRY(check_rowless(edits));
    VITRINE_TRY(run::check_policy(model.model.spec, changes.attention));
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
    VITRINE_TRY(read_files(analysis->manifest, record.parameters));
    VITRINE_ASSIGN(TunedLens lens, read_lens(analysis->manifest, model.model.spec, record.parameters));
    VITRINE_TRY(read_parameter_rows(model, analysis->manifest, record.parameters));
    const model::Coordinates coordinates = record.parameters.value("coordinates", "raw") == "folded"
                                               ? model::Coordinates::folded
                                               : model::Coordinates::raw;
    run::RunSpec prompts;
    prompts.coordinates = coordinates;
    prompts.rows = rows;
    prompts.edits = edits;
    prompts.attention = changes.attention;
    if (!rows.empty()) VITRINE_TRY(run::check(model.model, prompts));
    VITRINE_TRY(check_marks(model.model.spec, rows));
    if (coordinates == model::Coordinates::folded) VITRINE_TRY(model::Folding::possible(model.model.spec));
    Json ids = Json::array();
    Json marks = Json::array();
    bool marked = false;
    for (const run::RunRow& row : rows) {
        ids.push_back(row.ids);
        marks.push_back(run::to_json(row.marks));
        marked = marked || !row.marks.empty();
    }
    record.provenance = {{"model", model.request.name},
                         {"weights_hash", model.model.weights_hash},
                         {"device", model.loaded->device().name},
                         {"driver", model.loaded->device().driver},
                         {"precision", backend::name_of(model.loaded->precision())},
                         {"version", version()},
                         {"coordinates", model::name_of(coordinates)},
                         {"ids", std::move(ids)}};
    if (!lens.hash.empty())
        record.provenance["lens"] = {{"base_model", lens.base_model}, {"hash", lens.hash}};
    if (marked) record.provenance["marks"] = std::move(marks);
    if (!edits.empty()) record.provenance["edits"] = run::to_json(prompts)["edits"];
    if (changes.attention.window > 0) record.provenance["attention"] = run::to_text(changes.attention);
    Json json{{"model", model.request.name},
              {"analyze", {{"id", id}, {"parameters", record.parameters}, {"run", run::to_json(prompts)}}}};
    if (!lens.hash.empty()) json["analyze"]["lens"] = record.provenance["lens"];
    StepRecorder step(keep ? state_->recording() : BeginStep(), model, "analyze", json, coordinates);

    AnalysisServices services;
    services.model = &model.model;
    services.stop_ids = model.stop_ids;
    services.coordinates = coordinates;
    services.from_files = std::move(lens.weights);
    std::shared_ptr<OpenModel> checkpoint;
    OpenModel* on = &model; // what runs are made on
    if (analysis->manifest.value("checkpoints", false)) {
        VITRINE_ASSIGN(services.checkpoints, checkpoints_for(model));
        services.at_checkpoint = [&](const std::string& name) -> Result<std::string> {
            on = &model;
            checkpoint.reset();
            if (name.empty()) return model.model.weights_hash;
            VITRINE_ASSIGN(checkpoint, open_checkpoint(model, services.checkpoints, name, cancel));
            on = checkpoint.get();
            return on->model.weights_hash;
        };
    }
    // The step begins with the first thing computed: until then the analysis may refuse what it was given.
    services.run = [&](run::RunSpec spec) -> Result<run::RunResult> {
        spec.edits.insert(spec.edits.begin(), edits.begin(), edits.end());
        spec.coordinates = coordinates;
        VITRINE_TRY(put_policy(changes.attention, spec.attention));
        VITRINE_ASSIGN(const HeadCaptures heads, HeadCaptures::take(on->model.spec, spec));
        VITRINE_TRY(run::check(on->model, spec));
        VITRINE_TRY(step.begin());
        VITRINE_ASSIGN(auto made, run::run(*on->loaded, on->model, spec, cancel, progress));
        VITRINE_TRY(heads.fill(on->model.spec, made, cancel));
        return made;
    };
    services.generate = [&](run::GenerateSpec spec) -> Result<run::GenerateResult> {
        spec.prompt.edits.insert(spec.prompt.edits.begin(), edits.begin(), edits.end());
        spec.prompt.coordinates = coordinates;
        VITRINE_TRY(put_policy(changes.attention, spec.prompt.attention));
        VITRINE_TRY(run::check(on->model, spec));
        VITRINE_TRY(step.begin());
        return run::generate(*on->loaded, on->model, spec, {}, cancel, progress);
    };
    if (model.tokenizer) {
        services.bos = model.tokenizer->bos();
        for (std::int32_t token = 0; token < model.model.spec.vocab; ++token)
            if (model.tokenizer->is_special(token)) services.special_ids.push_back(token);
        services.token_text = [&](std::int32_t id_) { return model.tokenizer->token_text(id_); };
        services.text = [&](const std::vector<std::int32_t>& ids_) {
            return model.tokenizer->decode(ids_, false);
        };
    }
    auto results = within_memory(no_room, [&] {
        return run_analysis(*analysis, record.parameters, rows, services, cancel, progress);
    });
    if (!results) return step.fail_with(results.error());
    record.results = std::move(*results);
    VITRINE_ASSIGN(record.step, step.finish([&](store::ActivationWriter& writer) {
        return write_results(writer, record.results);
    }));
    return record;
}

} // namespace vitrine::engine

#pragma once
// The engine as window and command line use it: models opened from disk, runs, generations and analyses, each
// a step of the session if one is open. Synchronous, one thread at a time; Workbench puts it on a thread.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/cancel.h"
#include "core/base/json.h"
#include "core/engine/results.h"
#include "core/model/model.h"
#include "core/run/generate.h"
#include "core/run/run_spec.h"
#include "core/session/session.h"
#include "core/tokenizer/tokenizer.h"

namespace vitrine::engine {

/// What to open, and where to run it.
struct ModelRequest {
    std::string name;            ///< a folder, a file, "default", or one of the shapes of `bench`
    std::string device = "auto"; ///< as open_backend takes it
    backend::Precision precision = backend::Precision::exact;
    int threads = 0;
};

/// A model with its tokenizer, resident on a device.
struct OpenModel {
    ModelRequest request;
    model::Model model;
    std::optional<tokenizer::Tokenizer> tokenizer; ///< absent for shapes made in memory
    std::vector<std::int32_t> stop_ids;
    std::string config; ///< config.json as text; empty for shapes made in memory
    std::unique_ptr<backend::Backend> backend;
    std::unique_ptr<backend::LoadedModel> loaded;
    double load_ms = 0;
};

/// The self-check: this device against the CPU on a fixed prompt.
struct SelfCheck {
    std::string device, precision;
    double max_abs_dlogit = 0;
    double kl = 0; ///< mean over positions of KL(CPU ‖ device), nats
    bool argmax_agreement = true;
    double band = 0; ///< largest difference allowed
    bool passed = true;
    std::string first_divergent; ///< first hook whose values leave the band; empty if none
    double ms = 0;               ///< that the check took, the loading of the CPU's copy included
    std::string measured;        ///< when, UTC
    bool cached = false;         ///< measured at an earlier start, by this version on this device and driver
    bool accepted = false;       ///< outside the band, and the user has said that they know
};

/// A run and the step that records it (0 without a session).
struct RunRecord {
    run::RunSpec spec;
    run::RunResult result;
    std::int64_t step = 0;
};
struct GenerateRecord {
    run::GenerateSpec spec;
    run::GenerateResult result;
    std::int64_t step = 0;
};

struct AnalysisRecord {
    std::string id;
    Json parameters; ///< all of them, defaults filled in
    Json provenance; ///< model, weights_hash, device, precision, version, prompt ids
    std::vector<ResultValue> results;
    std::int64_t step = 0;
};

/// What is changed in a run beside its tokens.
struct Changes {
    std::vector<run::EditSpec> edits = {};
    run::AttentionPolicy attention = {};
};

class Engine {
public:
    Engine();
    ~Engine();

    /// Opens a model; the one opened before stays valid for whoever holds it.
    Result<std::shared_ptr<OpenModel>> open_model(const ModelRequest& request, const CancelToken& cancel,
                                                  const Progress& progress);

    /// Session in which every following run is recorded; none by default.
    Status open_session(const std::filesystem::path& folder);
    /// The same, but the folder is opened, or made, only as the first step begins: a run that is refused
    /// leaves it as it was.
    void record_in(const std::filesystem::path& folder);
    void close_session();
    session::Session* session(); ///< nullptr if none is open

    /// `record` false leaves the session alone: half-typed prompts are shown, not kept.
    Result<RunRecord> run(OpenModel& model, const run::RunSpec& spec, const CancelToken& cancel,
                          const Progress& progress, bool record = true);
    /// Makes a step of a run that was made without one; its captures are not kept. 0 without a session.
    Result<std::int64_t> record_made(OpenModel& model, const RunRecord& made);
    /// `parent`: the step that this is a branch of, recorded as the input "parent"; 0: none.
    Result<GenerateRecord> generate(OpenModel& model, const run::GenerateSpec& spec,
                                    const std::function<void(const run::GenerateStep&)>& on_step,
                                    const CancelToken& cancel, const Progress& progress,
                                    std::int64_t parent = 0);

    /// Manifests of all analyses, by id: {"id","title","summary","citation","parameters","results"}.
    Json manifests() const;
    /// `parameters`: an object; texts are converted to the types that the manifest gives. `record` false
    /// leaves the session alone: a view that follows the prompt is a read-out, not a step. `changes` hold
    /// for every run that the analysis asks for; edits that name a row are refused (unsupported), since an
    /// analysis makes rows of its own, and an attention policy where the analysis sets one itself.
    Result<AnalysisRecord> analyze(OpenModel& model, const std::string& id, const Json& parameters,
                                   const std::vector<run::RunRow>& rows, const CancelToken& cancel,
                                   const Progress& progress, bool record = true, const Changes& changes = {});

    /// What is known from an earlier start is taken from the cache, unless `again`; what is measured is kept
    /// there.
    Result<SelfCheck> self_check(OpenModel& model, const CancelToken& cancel, const Progress& progress,
                                 bool again = false);
    /// The user goes on with a device outside the band: kept with the verdict, and a step of the session.
    Result<SelfCheck> accept_check(OpenModel& model, const SelfCheck& check);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A model described and mapped, on no device yet.
struct Description {
    model::Model model;
    std::optional<tokenizer::Tokenizer> tokenizer; ///< absent for shapes made in memory
    std::vector<std::int32_t> stop_ids;
    std::string config;
};

/// Folder of a model by name: "default" or a path; of a folder of checkpoints (catalogue/checkpoints.h) the
/// last one's.
Result<std::filesystem::path> model_folder(const std::string& name);
/// Where a model's tokenizer lies: in its folder, or for a checkpoint without one in the folder above.
std::filesystem::path tokenizer_folder(const std::filesystem::path& model);
Result<Description> describe_model(const std::string& name, const CancelToken& cancel,
                                   const Progress& progress);
Result<std::shared_ptr<OpenModel>> open_model(const ModelRequest& request, const CancelToken& cancel,
                                              const Progress& progress);

/// Rows of a prompt: encoded text with its special tokens marked.
Result<run::RunRow> encode_row(const OpenModel& model, std::string_view text, tokenizer::Specials specials);

} // namespace vitrine::engine

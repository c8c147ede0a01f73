// From a name to a model that is resident on a device.
#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "core/catalogue/catalogue.h"
#include "core/catalogue/checkpoints.h"
#include "core/engine/engine.h"
#include "core/engine/resources.h"
#include "core/formats/gguf.h"
#include "core/formats/hf_config.h"
#include "core/model/family.h"
#include "core/model/gguf_model.h"
#include "core/model/shapes.h"

namespace vitrine::engine {

namespace {

namespace fs = std::filesystem;

bool is_shape(const std::string& name) {
    const auto& names = model::shape_names();
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// End-of-sequence ids of generation_config.json or config.json: a number or a list of numbers.
std::vector<std::int32_t> stop_ids_of(const formats::HfFolder& folder) {
    for (const Json* config :
         {folder.generation_config ? &*folder.generation_config : nullptr, &folder.config}) {
        if (config == nullptr || !config->contains("eos_token_id")) continue;
        const Json& eos = (*config)["eos_token_id"];
        if (eos.is_number_integer()) return {eos.get<std::int32_t>()};
        std::vector<std::int32_t> ids;
        if (eos.is_array())
            for (const Json& id : eos)
                if (id.is_number_integer()) ids.push_back(id.get<std::int32_t>());
        if (!ids.empty()) return ids;
    }
    return {};
}

std::optional<std::int32_t> id_of(const formats::GgufMetadata& data, const char* key) {
    const auto id = data.integer(key);
    if (!id || *id < 0 || *id > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    return static_cast<std::int32_t>(*id);
}

/// A model in GGUF form, with configuration, stop ids and tokenizer from its metadata.
Result<Description> describe_gguf(const fs::path& file, const std::string& name, const CancelToken& cancel,
                                  const Progress& progress) {
    VITRINE_ASSIGN(model::OpenedGguf opened, model::open_gguf_model(file, name, cancel, progress));
    const formats::GgufMetadata& metadata = opened.file->metadata;
    Description description;
    description.model = std::move(opened.model);
    description.config = dump_json(opened.config);
    for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"})
        if (const auto id = id_of(metadata, key)) description.stop_ids.push_back(*id);
    if (metadata.find("tokenizer.ggml.tokens") == nullptr) return description;
    VITRINE_ASSIGN(description.tokenizer, tokenizer::Tokenizer::from_gguf(metadata, file.string()));
    return description;
}

} // namespace

Result<fs::path> model_folder(const std::string& name) {
    if (name != "default") {
        std::error_code ignored;
        if (fs::exists(name, ignored) || !catalogue::is_store_name(name)) {
            // Of the checkpoints of a training the last one is the model.
            if (!fs::exists(fs::path(name) / "config.json", ignored) && !model::gguf_at(name))
                if (const auto points = catalogue::checkpoints_in(name); !points.empty())
                    return points.back().path;
            return fs::path(name);
        }
        return catalogue::find(catalogue::places(), name);
    }
    VITRINE_ASSIGN(const fs::path resources, resources_folder());
    return resources / "models" / "vitrine-tiny";
}

fs::path tokenizer_folder(const fs::path& model) {
    if (formats::has_vocabulary(model)) return model;
    const fs::path above = fs::absolute(model).lexically_normal().parent_path();
    const bool shared = catalogue::step_of(model.filename().string()) && formats::has_vocabulary(above);
    return shared ? above : model;
}

Result<Description> describe_model(const std::string& name, const CancelToken& cancel,
                                   const Progress& progress) {
    Description description;
    if (is_shape(name)) {
        VITRINE_ASSIGN(description.model, model::shape_model(name));
        return description;
    }
    VITRINE_ASSIGN(const fs::path folder, model_folder(name));
    if (const auto file = model::gguf_at(folder))
        return describe_gguf(*file, folder.string(), cancel, progress);
    VITRINE_ASSIGN(description.model, model::open_model_folder(folder, cancel, progress));
    VITRINE_ASSIGN(const formats::HfFolder source, formats::open_hf_folder(folder));
    description.config = dump_json(source.config);
    description.stop_ids = stop_ids_of(source);
    // Models made for tests may have none; then only token ids can be given.
    if (const fs::path tokens = tokenizer_folder(folder); formats::has_vocabulary(tokens)) {
        VITRINE_ASSIGN(description.tokenizer, tokenizer::Tokenizer::load(tokens));
    }
    return description;
}

Result<std::shared_ptr<OpenModel>> open_model(const ModelRequest& request, const CancelToken& cancel,
                                              const Progress& progress) {
    const auto start = std::chrono::steady_clock::now();
    auto open = std::make_shared<OpenModel>();
    open->request = request;
    VITRINE_ASSIGN(Description description, describe_model(request.name, cancel, progress));
    open->model = std::move(description.model);
    open->tokenizer = std::move(description.tokenizer);
    open->stop_ids = std::move(description.stop_ids);
    open->config = std::move(description.config);
    VITRINE_ASSIGN(open->backend, backend::open_backend(request.device, request.threads));
    VITRINE_ASSIGN(open->loaded, open->backend->load(open->model, request.precision, cancel, progress));
    open->load_ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    return open;
}

Result<run::RunRow> encode_row(const OpenModel& model, std::string_view text, tokenizer::Specials specials) {
    if (!model.tokenizer)
        return fail(Code::unsupported,
                    fmt::format("{} has no tokenizer (neither tokenizer.json nor vocab.json with merges.txt, "
                                "tokenizer.model or vocab.txt), so it takes token ids only.",
                                model.request.name));
    VITRINE_ASSIGN(const std::vector<tokenizer::Token> tokens, model.tokenizer->encode(text, specials));
    run::RunRow row;
    for (const tokenizer::Token& token : tokens) {
        row.ids.push_back(token.id);
        row.special.push_back(token.special);
    }
    return row;
}

} // namespace vitrine::engine

#include "core/model/family.h"

#include <fmt/format.h>

#include "core/formats/hf_config.h"
#include "core/formats/weights_hash.h"
#include "core/model/gguf_model.h"

namespace vitrine::model {

namespace {

const std::vector<Family>& families() {
    static const std::vector<Family> all{
        bloom_family(),   cohere_family(),  falcon_family(),   gemma_family(),     gemma2_family(),
        gemma3_family(),  gpt2_family(),    gpt_neo_family(),  gpt_neox_family(),  gptj_family(),
        granite_family(), llama_family(),   mistral_family(),  mpt_family(),       olmo_family(),
        olmo2_family(),   opt_family(),     phi_family(),      phi3_family(),      qwen2_family(),
        qwen3_family(),   smollm3_family(), stablelm_family(), starcoder2_family()};
    return all;
}

Result<const Family*> family_of(const Config& config) {
    VITRINE_ASSIGN(const std::string type, config.text_or("model_type", ""));
    std::string known;
    for (const Family& family : families()) {
        if (type == family.model_type) return &family;
        known += known.empty() ? family.model_type : fmt::format(", {}", family.model_type);
    }
    return fail(
        Code::unsupported,
        fmt::format("{}: the model type \"{}\" is unknown to this version, which knows {}; a new family "
                    "needs one file that maps its config and tensor names.",
                    config.path(), type, known));
}

/// Members that change what any family computes, and what they may be.
Status check_options(const Config& config) {
    if (config.has("quantization_config"))
        return fail(Code::unsupported,
                    fmt::format("{}: the weights are quantised (\"quantization_config\"); open the model's "
                                "unquantised files, or a GGUF file.",
                                config.path()));
    VITRINE_TRY(config.only("is_encoder_decoder", false));
    for (const char* experts : {"num_experts", "num_local_experts", "n_routed_experts"})
        VITRINE_TRY(config.only(experts, nullptr));
    return {};
}

/// Some configs say again what their family does.
Status check_positions(const Config& config, Positional positional) {
    const char* key = "position_embedding_type";
    VITRINE_ASSIGN(const std::string type, config.text_or(key, ""));
    const bool fits = type.empty() ||
                      (positional == Positional::rotary && (type == "rope" || type == "rotary")) ||
                      (positional == Positional::learned && (type == "absolute" || type == "learned")) ||
                      (positional == Positional::alibi && type == "alibi");
    return fits ? Status{} : config.only(key, name_of(positional));
}

/// Weights of a model, those that are used twice counted once.
std::int64_t parameters_of(const Model& model) {
    std::int64_t parameters = 0;
    for (const Weight& weight : model.weights)
        if (weight.name != "unembed.W_U" || !model.spec.tied) parameters += weight.rows * weight.cols;
    return parameters;
}

struct GgufStorage {
    std::shared_ptr<const formats::GgufModel> file;
    GgufTranslation translation;
};

} // namespace

Result<OpenedGguf> open_gguf_model(const std::filesystem::path& path, const std::string& name,
                                   const CancelToken& cancel, const Progress& progress) {
    VITRINE_ASSIGN(formats::GgufModel opened, formats::open_gguf(path));
    const auto file = std::make_shared<const formats::GgufModel>(std::move(opened));
    VITRINE_ASSIGN(GgufTranslation translation, translate_gguf(*file, path.string()));
    const auto storage = std::make_shared<const GgufStorage>(GgufStorage{file, std::move(translation)});
    const Config config(storage->translation.config, path.string());
    VITRINE_ASSIGN(const Family* family, family_of(config));
    OpenedGguf result{{}, storage->translation.config, file};
    Model& model = result.model;
    model.path = name;
    model.format = "gguf";
    model.storage = storage;
    VITRINE_ASSIGN(model.spec, family->spec(config));
    const GgufArchitecture& architecture = *storage->translation.architecture;
    BinderSource source{"metadata", architecture.whole_norms,
                        [&](const std::string& tensor) { return gguf_name(architecture, tensor); }};
    Binder binder(model, storage->translation.tensors, family->prefixes, std::move(source));
    VITRINE_TRY(family->bind(model.spec, binder));
    if (const auto unused = binder.unused(); !unused.empty())
        return fail(Code::unsupported,
                    fmt::format("{} has the tensor \"{}\", which {} models as Vitrine knows them do not "
                                "have; what it computes is unknown.",
                                name, unused.front(), architecture.name));
    model.parameters = parameters_of(model);
    VITRINE_ASSIGN(model.weights_hash, formats::cached_weights_hash(
                                           file->files, formats::weights_cache_folder(), cancel, progress));
    return result;
}

Result<Model> open_model_folder(const std::filesystem::path& folder, const CancelToken& cancel,
                                const Progress& progress) {
    auto gguf = gguf_at(folder);
    if (gguf) {
        VITRINE_ASSIGN(OpenedGguf opened, open_gguf_model(*gguf, folder.string(), cancel, progress));
        return std::move(opened.model);
    }
    if (gguf.error().code == Code::usage) return tl::unexpected(gguf.error()); // several models
    VITRINE_ASSIGN(const formats::HfFolder source, formats::open_hf_folder(folder));
    const Config config(source.config, (folder / "config.json").string());
    VITRINE_ASSIGN(const Family* family, family_of(config));
    VITRINE_TRY(check_options(config));
    Model model;
    model.path = folder.string();
    VITRINE_ASSIGN(model.spec, family->spec(config));
    VITRINE_TRY(check_positions(config, model.spec.positional));
    VITRINE_ASSIGN(formats::TensorFiles files, formats::TensorFiles::open(folder));
    const auto storage = std::make_shared<const formats::TensorFiles>(std::move(files));
    model.storage = storage;
    model.format = storage->format();
    Binder binder(model, *storage, family->prefixes);
    VITRINE_TRY(family->bind(model.spec, binder));
    model.parameters = parameters_of(model);
    VITRINE_ASSIGN(model.weights_hash,
                   formats::cached_weights_hash(*storage, formats::weights_cache_folder(), cancel, progress));
    return model;
}

} // namespace vitrine::model

#pragma once
// From a folder on disk to a model: the family's file maps config and tensor names, nothing else knows
// families.
#include <filesystem>

#include "core/base/cancel.h"
#include "core/base/json.h"
#include "core/formats/gguf.h"
#include "core/model/binder.h"
#include "core/model/config.h"
#include "core/model/model.h"

namespace vitrine::model {

/// What a family's file provides.
struct Family {
    const char* model_type; ///< `model_type` of config.json
    Result<ModelSpec> (*spec)(const Config& config);
    Status (*bind)(const ModelSpec& spec, Binder& binder);
    std::vector<std::string> prefixes; ///< of tensor names
};

Family bloom_family();
Family cohere_family();
Family falcon_family();
Family gemma_family();
Family gemma2_family();
Family gemma3_family();
Family gpt2_family();
Family gpt_neo_family();
Family gpt_neox_family();
Family gptj_family();
Family granite_family();
Family llama_family();
Family mistral_family();
Family mpt_family();
Family olmo_family();
Family olmo2_family();
Family opt_family();
Family phi_family();
Family phi3_family();
Family qwen2_family();
Family qwen3_family();
Family smollm3_family();
Family stablelm_family();
Family starcoder2_family();

/// Opens a Hugging Face folder (config.json, and safetensors or pytorch_model.bin) or a model in GGUF form, a
/// file or the folder of one: reads what describes it, maps the files, binds and hashes the weights. Nothing
/// is copied. unsupported names a family that Vitrine does not know.
Result<Model> open_model_folder(const std::filesystem::path& folder, const CancelToken& cancel,
                                const Progress& progress);

/// A model in GGUF form, with what its file says beside the weights.
struct OpenedGguf {
    Model model;
    Json config; ///< as config.json would have it
    std::shared_ptr<const formats::GgufModel> file;
};

/// `path` is a GGUF file (gguf_at), `name` what the user called it.
Result<OpenedGguf> open_gguf_model(const std::filesystem::path& path, const std::string& name,
                                   const CancelToken& cancel, const Progress& progress);

} // namespace vitrine::model

#include "core/model/gguf_model.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace vitrine::model {

namespace {

namespace fs = std::filesystem;

/// A tensor's name in GGUF and in Hugging Face's files; {} stands for the layer.
using Names = std::vector<std::pair<const char*, const char*>>;

const Names& llama_names() {
    static const Names names{{"token_embd", "model.embed_tokens"},
                             {"output_norm", "model.norm"},
                             {"output", "lm_head"},
                             {"blk.{}.attn_norm", "model.layers.{}.input_layernorm"},
                             {"blk.{}.attn_q", "model.layers.{}.self_attn.q_proj"},
                             {"blk.{}.attn_k", "model.layers.{}.self_attn.k_proj"},
                             {"blk.{}.attn_v", "model.layers.{}.self_attn.v_proj"},
                             {"blk.{}.attn_output", "model.layers.{}.self_attn.o_proj"},
                             {"blk.{}.attn_q_norm", "model.layers.{}.self_attn.q_norm"},
                             {"blk.{}.attn_k_norm", "model.layers.{}.self_attn.k_norm"},
                             {"blk.{}.ffn_norm", "model.layers.{}.post_attention_layernorm"},
                             {"blk.{}.ffn_gate", "model.layers.{}.mlp.gate_proj"},
                             {"blk.{}.ffn_up", "model.layers.{}.mlp.up_proj"},
                             {"blk.{}.ffn_down", "model.layers.{}.mlp.down_proj"}};
    return names;
}

struct Architecture {
    const char* name;       ///< general.architecture
    const char* model_type; ///< of config.json
    bool permuted = false;  ///< q and k are stored for rotation of neighbouring pairs
};

constexpr Architecture architectures[] = {{"llama", "llama", true}, {"qwen2", "qwen2"}, {"qwen3", "qwen3"}};

class Translator {
public:
    Translator(const formats::GgufModel& model, std::string path) : model_(model), path_(std::move(path)) {}

    Result<GgufTranslation> translate() {
        VITRINE_TRY(find_architecture());
        GgufTranslation result;
        VITRINE_ASSIGN(result.config, config());
        VITRINE_ASSIGN(result.tensors, tensors());
        result.copies = copies_;
        return result;
    }

private:
    using Copies = std::vector<std::vector<std::byte>>;

    Status find_architecture() {
        const auto given = model_.metadata.text("general.architecture");
        if (!given)
            return fail(Code::malformed,
                        fmt::format("{} does not say its architecture (general.architecture).", path_));
        std::string known;
        for (const Architecture& architecture : architectures) {
            if (*given == architecture.name) {
                architecture_ = &architecture;
                return {};
            }
            known += fmt::format("{}{}", known.empty() ? "" : ", ", architecture.name);
        }
        return fail(
            Code::unsupported,
            fmt::format("{}: the architecture \"{}\" in GGUF form is unknown to this version, which knows "
                        "{}; open the model as safetensors, if it is published so.",
                        path_, *given, known));
    }

    std::string key(const char* name) const { return fmt::format("{}.{}", architecture_->name, name); }

    Result<std::int64_t> needed(const char* name) const {
        const auto value = model_.metadata.integer(key(name));
        if (!value) return fail(Code::malformed, fmt::format("{} has no whole number {}.", path_, key(name)));
        return *value;
    }

    Result<Json> config() {
        const formats::GgufMetadata& data = model_.metadata;
        Json json;
        json["model_type"] = architecture_->model_type;
        VITRINE_ASSIGN(const std::int64_t width, needed("embedding_length"));
        VITRINE_ASSIGN(heads_, needed("attention.head_count"));
        json["hidden_size"] = width;
        json["num_attention_heads"] = heads_;
        kv_heads_ = data.integer(key("attention.head_count_kv")).value_or(heads_);
        json["num_key_value_heads"] = kv_heads_;
        VITRINE_ASSIGN(json["num_hidden_layers"], needed("block_count"));
        VITRINE_ASSIGN(json["intermediate_size"], needed("feed_forward_length"));
        VITRINE_ASSIGN(json["max_position_embeddings"], needed("context_length"));
        const std::int64_t head =
            data.integer(key("attention.key_length")).value_or(heads_ > 0 ? width / heads_ : 0);
        json["head_dim"] = head;
        if (data.integer(key("attention.value_length")).value_or(head) != head)
            return fail(
                Code::unsupported,
                fmt::format("{}: heads of values are as wide as those of keys in every model that Vitrine "
                            "runs; here they are not.",
                            path_));
        if (data.integer(key("rope.dimension_count")).value_or(head) != head)
            return fail(Code::unsupported,
                        fmt::format("{}: only a part of each head is rotated, which {} models do not do.",
                                    path_, architecture_->name));
        if (data.integer(key("expert_count")).value_or(0) > 0)
            return fail(Code::unsupported,
                        fmt::format("{} is a mixture of experts, which Vitrine does not run.", path_));
        const auto eps = data.number(key("attention.layer_norm_rms_epsilon"));
        if (!eps)
            return fail(Code::malformed,
                        fmt::format("{} has no {}.", path_, key("attention.layer_norm_rms_epsilon")));
        json["rms_norm_eps"] = *eps;
        json["hidden_act"] = "silu";
        const auto* table = model_.files.find("token_embd.weight");
        if (table == nullptr || table->view.shape.size() != 2)
            return fail(Code::malformed, fmt::format("{} has no matrix token_embd.weight.", path_));
        json["vocab_size"] = table->view.shape.front();
        json["tie_word_embeddings"] = model_.files.find("output.weight") == nullptr;
        json["rope_theta"] = data.number(key("rope.freq_base")).value_or(10000.0);
        VITRINE_TRY(add_scaling(json));
        for (const auto& [theirs, ours] : {std::pair{"tokenizer.ggml.bos_token_id", "bos_token_id"},
                                           std::pair{"tokenizer.ggml.eos_token_id", "eos_token_id"}})
            if (const auto id = data.integer(theirs)) json[ours] = *id;
        return json;
    }

    Status add_scaling(Json& json) const {
        const formats::GgufMetadata& data = model_.metadata;
        const std::string type(data.text(key("rope.scaling.type")).value_or("none"));
        const double factor = data.number(key("rope.scaling.factor")).value_or(1.0);
        if (model_.files.find("rope_freqs.weight") != nullptr) {
            // Divisors of the frequencies, one a pair: what Llama 3's stretching comes to.
            const auto& view = model_.files.find("rope_freqs.weight")->view;
            std::vector<float> divisors(static_cast<std::size_t>(view.size()));
            widen(view.dtype, view.data, divisors);
            json["rope_scaling"] = {{"rope_type", "divisors"}, {"divisors", divisors}};
        } else if (type == "linear") {
            json["rope_scaling"] = {{"rope_type", "linear"}, {"factor", factor}};
        } else if (type != "none") {
            return fail(Code::unsupported,
                        fmt::format("{}: the rotation's scaling \"{}\" is not supported in GGUF "
                                    "form yet.",
                                    path_, type));
        }
        return {};
    }

    /// The name in the family's files, or nothing.
    std::optional<std::string> name_of(const std::string& stored) const {
        const std::size_t dot = stored.rfind('.');
        if (dot == std::string::npos) return std::nullopt;
        std::string stem = stored.substr(0, dot);
        std::string layer;
        if (stem.starts_with("blk.")) {
            const std::size_t end = stem.find('.', 4);
            if (end == std::string::npos) return std::nullopt;
            layer = stem.substr(4, end - 4);
            stem = "blk.{}" + stem.substr(end);
        }
        for (const auto& [theirs, ours] : llama_names()) {
            if (stem != theirs) continue;
            std::string name = ours;
            if (const std::size_t at = name.find("{}"); at != std::string::npos) name.replace(at, 2, layer);
            return name + stored.substr(dot);
        }
        return std::nullopt;
    }

    /// How many heads the rows of a tensor are permuted in; 0: they are not.
    std::int64_t permuted_heads(const std::string& stored) const {
        if (!architecture_->permuted) return 0;
        if (stored.ends_with(".attn_q.weight") || stored.ends_with(".attn_q.bias")) return heads_;
        if (stored.ends_with(".attn_k.weight") || stored.ends_with(".attn_k.bias")) return kv_heads_;
        return 0;
    }

    Result<formats::TensorFiles> tensors() {
        copies_ = std::make_shared<Copies>();
        std::vector<formats::StoredTensor> translated;
        for (const formats::StoredTensor& tensor : model_.files.tensors()) {
            const auto name = name_of(tensor.name);
            if (!name) continue;
            formats::StoredTensor one = tensor;
            one.name = *name;
            if (const std::int64_t heads = permuted_heads(tensor.name); heads > 0) {
                VITRINE_TRY(unpermute(one.view, heads));
                model_.files.drop(tensor.view);
            }
            translated.push_back(std::move(one));
        }
        return formats::TensorFiles("gguf", {}, std::move(translated));
    }

    /// Within each head, row 2j + i of the file is row i · (rows / 2) + j of the model. Rows are whole
    /// blocks.
    Status unpermute(TensorView& view, std::int64_t heads) {
        const std::int64_t rows = view.shape.empty() ? 0 : view.shape.front();
        if (rows == 0 || rows % (2 * heads) != 0)
            return fail(Code::malformed,
                        fmt::format("{}: a projection of {} rows has not {} heads.", path_, rows, heads));
        const std::size_t row_bytes = view.bytes() / static_cast<std::size_t>(rows);
        const std::int64_t half = rows / heads / 2;
        std::vector<std::byte>& copy = copies_->emplace_back(view.bytes());
        for (std::int64_t row = 0; row < rows; ++row) {
            const std::int64_t in_head = row % (2 * half);
            const std::int64_t from = row - in_head + 2 * (in_head % half) + in_head / half;
            std::memcpy(copy.data() + static_cast<std::size_t>(row) * row_bytes,
                        view.data + static_cast<std::size_t>(from) * row_bytes, row_bytes);
        }
        view.data = copy.data();
        return {};
    }

    const formats::GgufModel& model_;
    std::string path_;
    const Architecture* architecture_ = nullptr;
    std::int64_t heads_ = 0;
    std::int64_t kv_heads_ = 0;
    std::shared_ptr<Copies> copies_;
};

} // namespace

Result<GgufTranslation> translate_gguf(const formats::GgufModel& model, const std::string& path) {
    return Translator(model, path).translate();
}

Result<fs::path> gguf_at(const fs::path& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        if (formats::is_gguf(path)) return path;
        return fail(Code::not_found, fmt::format("{} is not a GGUF file.", path.string()));
    }
    if (fs::exists(path / "config.json", ignored))
        return fail(Code::not_found, fmt::format("{} is a folder with config.json.", path.string()));
    return formats::find_gguf(path);
}

} // namespace vitrine::model

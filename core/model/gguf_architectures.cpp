#include "core/model/gguf_architectures.h"

#include <algorithm>

#include <fmt/format.h>

namespace vitrine::model {

namespace {

constexpr const char* rms_eps = "attention.layer_norm_rms_epsilon";
constexpr const char* layer_eps = "attention.layer_norm_epsilon";

/// Of Llama; every architecture has them under these names unless it says otherwise.
const GgufNames common{{"token_embd", "embed_tokens"},
                       {"output_norm", "norm"},
                       {"output", "lm_head"},
                       {"blk.{}.attn_norm", "layers.{}.input_layernorm"},
                       {"blk.{}.attn_q", "layers.{}.self_attn.q_proj"},
                       {"blk.{}.attn_k", "layers.{}.self_attn.k_proj"},
                       {"blk.{}.attn_v", "layers.{}.self_attn.v_proj"},
                       {"blk.{}.attn_output", "layers.{}.self_attn.o_proj"},
                       {"blk.{}.attn_q_norm", "layers.{}.self_attn.q_norm"},
                       {"blk.{}.attn_k_norm", "layers.{}.self_attn.k_norm"},
                       {"blk.{}.ffn_norm", "layers.{}.post_attention_layernorm"},
                       {"blk.{}.ffn_gate", "layers.{}.mlp.gate_proj"},
                       {"blk.{}.ffn_up", "layers.{}.mlp.up_proj"},
                       {"blk.{}.ffn_down", "layers.{}.mlp.down_proj"}};

/// Gemma 2 and 3: a norm in front of each branch and one behind it.
const GgufNames sandwich{{"blk.{}.post_attention_norm", "layers.{}.post_attention_layernorm"},
                         {"blk.{}.ffn_norm", "layers.{}.pre_feedforward_layernorm"},
                         {"blk.{}.post_ffw_norm", "layers.{}.post_feedforward_layernorm"}};

const GgufNames gpt_neox{{"token_embd", "embed_in"},
                         {"output_norm", "final_layer_norm"},
                         {"blk.{}.attn_qkv", "layers.{}.attention.query_key_value"},
                         {"blk.{}.attn_output", "layers.{}.attention.dense"},
                         {"blk.{}.ffn_up", "layers.{}.mlp.dense_h_to_4h"},
                         {"blk.{}.ffn_down", "layers.{}.mlp.dense_4h_to_h"}};

const GgufNames bloom{{"token_embd", "word_embeddings"},
                      {"token_embd_norm", "word_embeddings_layernorm"},
                      {"output_norm", "ln_f"},
                      {"blk.{}.attn_norm", "h.{}.input_layernorm"},
                      {"blk.{}.attn_qkv", "h.{}.self_attention.query_key_value"},
                      {"blk.{}.attn_output", "h.{}.self_attention.dense"},
                      {"blk.{}.ffn_norm", "h.{}.post_attention_layernorm"},
                      {"blk.{}.ffn_up", "h.{}.mlp.dense_h_to_4h"},
                      {"blk.{}.ffn_down", "h.{}.mlp.dense_4h_to_h"}};

const GgufNames falcon{{"token_embd", "word_embeddings"},
                       {"output_norm", "ln_f"},
                       {"blk.{}.attn_norm", "h.{}.input_layernorm"},
                       {"blk.{}.attn_qkv", "h.{}.self_attention.query_key_value"},
                       {"blk.{}.attn_output", "h.{}.self_attention.dense"},
                       {"blk.{}.ffn_up", "h.{}.mlp.dense_h_to_4h"},
                       {"blk.{}.ffn_down", "h.{}.mlp.dense_4h_to_h"}};

/// With a norm for each branch.
GgufNames falcon_two_norms() {
    GgufNames names = falcon;
    names[2].second = "h.{}.ln_mlp";
    names.emplace_back("blk.{}.attn_norm_2", "h.{}.ln_attn");
    return names;
}

const GgufNames gpt2{{"token_embd", "wte"},
                     {"position_embd", "wpe"},
                     {"output_norm", "ln_f"},
                     {"blk.{}.attn_norm", "h.{}.ln_1"},
                     {"blk.{}.attn_qkv", "h.{}.attn.c_attn"},
                     {"blk.{}.attn_output", "h.{}.attn.c_proj"},
                     {"blk.{}.ffn_norm", "h.{}.ln_2"},
                     {"blk.{}.ffn_up", "h.{}.mlp.c_fc"},
                     {"blk.{}.ffn_down", "h.{}.mlp.c_proj"}};

const GgufNames mpt{{"token_embd", "wte"},
                    {"output_norm", "norm_f"},
                    {"blk.{}.attn_norm", "blocks.{}.norm_1"},
                    {"blk.{}.attn_qkv", "blocks.{}.attn.Wqkv"},
                    {"blk.{}.attn_output", "blocks.{}.attn.out_proj"},
                    {"blk.{}.ffn_norm", "blocks.{}.norm_2"},
                    {"blk.{}.ffn_up", "blocks.{}.ffn.up_proj"},
                    {"blk.{}.ffn_down", "blocks.{}.ffn.down_proj"}};

/// A llama with a window is what transformers calls mistral.
Status complete_llama(const GgufSource& source, Json& config) {
    if (const auto window = source.integer("attention.sliding_window")) {
        config["model_type"] = "mistral";
        config["sliding_window"] = *window;
    }
    return {};
}

/// Scores are scaled by the width of a head, but by heads / width in the 27B models, of which the file says
/// only how many layers they have.
void add_query_scale(const GgufSource& source, Json& config, int layers_of_27b) {
    const double width = config["hidden_size"].get<double>();
    double scalar = config["head_dim"].get<double>();
    if (config["num_hidden_layers"] == layers_of_27b)
        scalar = width / config["num_attention_heads"].get<double>();
    if (const auto scale = source.number("attention.scale")) scalar = 1 / (*scale * *scale);
    config["query_pre_attn_scalar"] = scalar;
}

Status complete_gemma2(const GgufSource& source, Json& config) {
    add_query_scale(source, config, 46);
    return {};
}

Status complete_gemma3(const GgufSource& source, Json& config) {
    add_query_scale(source, config, 62);
    // Layers with a window rotate with a base of their own, and unscaled.
    const double local = source.number("rope.freq_base_swa").value_or(10000.0);
    config["rope_parameters"] = {{"full_attention", config["rope_parameters"]},
                                 {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", local}}}};
    const char* pattern = "attention.sliding_window_pattern";
    if (const auto period = source.integer(pattern)) config["sliding_window_pattern"] = *period;
    if (const auto slides = source.model.metadata.numbers(source.key(pattern)))
        for (const double does : *slides)
            config["layer_types"].push_back(does != 0 ? "sliding_attention" : "full_attention");
    return {};
}

Status complete_falcon(const GgufSource& source, Json& config) {
    if (source.tensor("blk.0.ffn_norm.weight") != nullptr)
        return fail(Code::unsupported,
                    fmt::format("{}: a Falcon with one branch after the other (ALiBi) is not what GGUF "
                                "means by falcon; open the model as safetensors.",
                                source.path));
    config["new_decoder_architecture"] = true; // with one key head it is the older one
    config["num_kv_heads"] = config["num_key_value_heads"];
    config["num_ln_in_parallel_attn"] = source.tensor("blk.0.attn_norm_2.weight") != nullptr ? 2 : 1;
    return {};
}

Status complete_gpt_neox(const GgufSource& source, Json& config) {
    if (const auto parallel = source.model.metadata.flag(source.key("use_parallel_residual")))
        config["use_parallel_residual"] = *parallel;
    return {};
}

Status complete_mpt(const GgufSource& source, Json& config) {
    config["attn_config"] = {{"alibi", true}, {"alibi_bias_max", 8}};
    if (const auto most = source.number("attention.max_alibi_bias")) {
        config["attn_config"]["alibi_bias_max"] = *most;
        config["attn_config"]["alibi"] = *most > 0;
    }
    if (const auto clip = source.number("attention.clamp_kqv")) config["attn_config"]["clip_qkv"] = *clip;
    return {};
}

/// Norms of queries and keys come with parallel branches on one norm.
Status complete_stablelm(const GgufSource& source, Json& config) {
    config["qk_layernorm"] = source.tensor("blk.0.attn_q_norm.weight") != nullptr;
    config["use_parallel_residual"] = source.tensor("blk.0.ffn_norm.weight") == nullptr;
    return {};
}

Status complete_command_r(const GgufSource& source, Json& config) {
    config["use_qk_norm"] = source.tensor("blk.0.attn_q_norm.weight") != nullptr;
    return {};
}

const std::vector<GgufArchitecture>& architectures() {
    static const GgufNames rms{{rms_eps, "rms_norm_eps"}};
    static const GgufNames layer_norm{{layer_eps, "layer_norm_eps"}};
    static const GgufNames layer_norm_epsilon{{layer_eps, "layer_norm_epsilon"}};
    static const std::vector<GgufArchitecture> all{
        {.name = "bloom",
         .model_type = "bloom",
         .settings = layer_norm_epsilon,
         .tensors = bloom,
         .rows = GgufRows::fused,
         .rotary = false},
        {.name = "command-r",
         .model_type = "cohere",
         .settings = {{layer_eps, "layer_norm_eps"}, {"logit_scale", "logit_scale"}},
         .complete = complete_command_r},
        {.name = "falcon",
         .model_type = "falcon",
         .settings = layer_norm_epsilon,
         .tensors = falcon_two_norms(),
         .rows = GgufRows::fused,
         .marked_by = "blk.0.attn_norm_2.weight",
         .complete = complete_falcon},
        {.name = "falcon",
         .model_type = "falcon",
         .settings = layer_norm_epsilon,
         .tensors = falcon,
         .rows = GgufRows::fused,
         .complete = complete_falcon},
        {.name = "gemma", .model_type = "gemma", .settings = rms, .whole_norms = true},
        {.name = "gemma2",
         .model_type = "gemma2",
         .settings = {{rms_eps, "rms_norm_eps"},
                      {"attention.sliding_window?", "sliding_window"},
                      {"attn_logit_softcapping?", "attn_logit_softcapping"},
                      {"final_logit_softcapping?", "final_logit_softcapping"}},
         .tensors = sandwich,
         .whole_norms = true,
         .complete = complete_gemma2},
        {.name = "gemma3",
         .model_type = "gemma3_text",
         .settings = {{rms_eps, "rms_norm_eps"},
                      {"attention.sliding_window?", "sliding_window"},
                      {"final_logit_softcapping?", "final_logit_softcapping"}},
         .tensors = sandwich,
         .whole_norms = true,
         .complete = complete_gemma3},
        {.name = "gpt2",
         .model_type = "gpt2",
         .settings = layer_norm_epsilon,
         .tensors = gpt2,
         .rows = GgufRows::turned,
         .rotary = false},
        {.name = "gptneox",
         .model_type = "gpt_neox",
         .settings = layer_norm,
         .tensors = gpt_neox,
         .rows = GgufRows::fused,
         .complete = complete_gpt_neox},
        {.name = "granite",
         .model_type = "granite",
         .settings = {{rms_eps, "rms_norm_eps"},
                      {"attention.scale?", "attention_multiplier"},
                      {"embedding_scale?", "embedding_multiplier"},
                      {"residual_scale?", "residual_multiplier"},
                      {"logit_scale", "logits_scaling"}},
         .rows = GgufRows::pairs},
        {.name = "llama",
         .model_type = "llama",
         .settings = rms,
         .rows = GgufRows::pairs,
         .complete = complete_llama},
        {.name = "mpt",
         .model_type = "mpt",
         .settings = layer_norm_epsilon,
         .tensors = mpt,
         .rotary = false,
         .complete = complete_mpt},
        {.name = "olmo",
         .model_type = "olmo",
         .settings = {{"attention.clamp_kqv?", "clip_qkv"}},
         .rows = GgufRows::pairs},
        {.name = "olmo2",
         .model_type = "olmo2",
         .settings = rms,
         .tensors = {{"blk.{}.post_attention_norm", "layers.{}.post_attention_layernorm"},
                     {"blk.{}.post_ffw_norm", "layers.{}.post_feedforward_layernorm"},
                     {"blk.{}.ffn_norm", ""}}},
        {.name = "phi2",
         .model_type = "phi",
         .settings = layer_norm,
         .tensors = {{"output_norm", "final_layernorm"},
                     {"blk.{}.attn_output", "layers.{}.self_attn.dense"},
                     {"blk.{}.ffn_up", "layers.{}.mlp.fc1"},
                     {"blk.{}.ffn_down", "layers.{}.mlp.fc2"}}},
        {.name = "phi3",
         .model_type = "phi3",
         .settings = {{rms_eps, "rms_norm_eps"}, {"attention.sliding_window?", "sliding_window"}},
         .tensors = {{"blk.{}.attn_qkv", "layers.{}.self_attn.qkv_proj"},
                     {"blk.{}.ffn_up", "layers.{}.mlp.gate_up_proj"}}},
        {.name = "qwen2", .model_type = "qwen2", .settings = rms},
        {.name = "qwen3", .model_type = "qwen3", .settings = rms},
        {.name = "smollm3", .model_type = "smollm3", .settings = rms, .rows = GgufRows::pairs},
        {.name = "stablelm",
         .model_type = "stablelm",
         .settings = layer_norm,
         .tensors = {{"blk.{}.attn_q_norm", "layers.{}.self_attn.q_layernorm"},
                     {"blk.{}.attn_k_norm", "layers.{}.self_attn.k_layernorm"}},
         .rows = GgufRows::heads,
         .complete = complete_stablelm},
        {.name = "starcoder2",
         .model_type = "starcoder2",
         .settings = {{layer_eps, "norm_epsilon"}, {"attention.sliding_window?", "sliding_window"}},
         .tensors = {{"blk.{}.ffn_up", "layers.{}.mlp.c_fc"}, {"blk.{}.ffn_down", "layers.{}.mlp.c_proj"}}}};
    return all;
}

/// A tensor's name in three parts: "blk.{}.attn_q", "3" and ".weight".
struct Name {
    std::string stem;
    std::string layer;
    std::string ending;

    std::string in(std::string other) const {
        if (const std::size_t at = other.find("{}"); at != std::string::npos) other.replace(at, 2, layer);
        return other + ending;
    }
};

/// The first number between dots is the layer.
Name parts_of(std::string_view name) {
    Name parts{std::string(name), "", ""};
    const std::size_t end = name.ends_with(".weight") ? 7 : name.ends_with(".bias") ? 5 : 0;
    parts.ending = name.substr(name.size() - end);
    parts.stem = name.substr(0, name.size() - end);
    for (std::size_t dot = parts.stem.find('.'); dot != std::string::npos;) {
        const std::size_t next = parts.stem.find('.', dot + 1);
        if (next == std::string::npos) break;
        const std::string between = parts.stem.substr(dot + 1, next - dot - 1);
        if (!between.empty() && between.find_first_not_of("0123456789") == std::string::npos) {
            parts.layer = between;
            parts.stem.replace(dot + 1, between.size(), "{}");
            break;
        }
        dot = next;
    }
    return parts;
}

} // namespace

const GgufArchitecture* find_gguf_architecture(const GgufSource& source) {
    for (const GgufArchitecture& one : architectures())
        if (source.architecture == one.name &&
            (one.marked_by == nullptr || source.tensor(one.marked_by) != nullptr))
            return &one;
    return nullptr;
}

std::string gguf_architecture_names() {
    std::string names, last;
    for (const GgufArchitecture& one : architectures()) {
        if (last == one.name) continue;
        last = one.name;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", one.name);
    }
    return names;
}

std::optional<std::string> family_name(const GgufArchitecture& architecture, std::string_view stored) {
    const Name name = parts_of(stored);
    for (const GgufNames* names : {&architecture.tensors, &common})
        for (const auto& [theirs, ours] : *names)
            if (name.stem == theirs) {
                if (*ours == '\0') return std::nullopt;
                return name.in(ours);
            }
    return std::nullopt;
}

std::string gguf_name(const GgufArchitecture& architecture, const std::string& family) {
    const Name name = parts_of(family);
    for (const GgufNames* names : {&architecture.tensors, &common})
        for (const auto& [theirs, ours] : *names)
            if (name.stem == ours) return name.in(theirs);
    return family;
}

} // namespace vitrine::model

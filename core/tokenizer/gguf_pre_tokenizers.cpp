#include "core/tokenizer/gguf_pre_tokenizers.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace vitrine::tokenizer {

namespace {

using Pattern = std::string_view;

// The patterns of llama.cpp. Where those differ from a model's tokenizer.json, the file's own way counts.
constexpr Pattern gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S))";
constexpr Pattern llama3 =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr Pattern qwen2 =
    R"((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr Pattern tekken =
    R"([^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr Pattern gpt4o =
    R"([^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr Pattern bloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
constexpr Pattern digit = R"(\p{N})";
constexpr Pattern three_digits = "[0-9][0-9][0-9]";
constexpr Pattern cjk = "[一-龥ࠀ-一가-퟿]+";
constexpr Pattern deepseek_v3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Entry {
    std::vector<std::string_view> names;
    GgufPreTokenizer made;
};

const std::vector<Entry>& entries() {
    static const std::vector<Entry> table{
        {{"gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4", "gigachat",
          "mellum", "modern-bert", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en",
          "jina-v2-code", "roberta-bpe", "a.x-4.0"},
         {{gpt2}}},
        {{"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
          "jina-v5-nano"},
         {{llama3}, true, true}},
        {{"dbrx", "smaug-bpe", "glm4", "chatglm-bpe"}, {{llama3}}},
        {{"qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "solar-open", "kormo", "f2llmv2",
          "grok-2"},
         {{qwen2}}},
        {{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"},
         {{digit, gpt2}}},
        {{"falcon"}, {{R"([\p{P}\$\+<=>\^~\|`]+)", gpt2, three_digits}}},
        {{"", "default"}, {{R"([\p{P}\$\+<=>\^~\|]+)", gpt2, R"(\p{N}+)", three_digits}}},
        {{"deepseek-coder"}, {{R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", cjk, digit}}},
        {{"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
         {{R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+", deepseek_v3}}},
        {{"tekken"}, {{tekken}, true, true}},
        {{"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}, {{gpt4o}}},
        {{"bloom", "poro-chat", "gpt3-finnish"}, {{bloom}}},
        {{"viking"}, {{bloom, digit}}},
    };
    return table;
}

} // namespace

Result<GgufPreTokenizer> gguf_pre_tokenizer(std::string_view name) {
    for (const Entry& entry : entries())
        if (std::find(entry.names.begin(), entry.names.end(), name) != entry.names.end()) return entry.made;
    return fail(
        Code::unsupported,
        fmt::format("Vitrine does not know how the tokenizer \"{}\" (tokenizer.ggml.pre) splits words.",
                    name));
}

} // namespace vitrine::tokenizer

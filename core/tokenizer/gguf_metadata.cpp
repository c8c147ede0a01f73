#include <limits>

#include <fmt/format.h>

#include "core/tokenizer/gguf_tokenizer.h"

namespace vitrine::tokenizer {

Result<GgufTokenizer> read_gguf_tokenizer(const formats::GgufMetadata& metadata, const std::string& where) {
    const auto key = [](const char* name) { return std::string("tokenizer.ggml.") + name; };
    const auto text = [&](const std::string& name) { return std::string(metadata.text(name).value_or("")); };
    const auto texts = [&](const char* name) {
        const auto found = metadata.texts(key(name));
        return found ? std::vector<std::string>(found->begin(), found->end()) : std::vector<std::string>();
    };
    const auto id = [&](const char* name) -> std::optional<std::int32_t> {
        const auto found = metadata.integer(key(name));
        if (!found || *found < 0 || *found > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
        return static_cast<std::int32_t>(*found);
    };
    if (!metadata.text(key("model")))
        return fail(Code::not_found, fmt::format("{} has no tokenizer (tokenizer.ggml.model).", where));
    GgufTokenizer result;
    result.architecture = text("general.architecture");
    result.name = text("general.name");
    result.model = text(key("model"));
    result.pre = text(key("pre"));
    result.tokens = texts("tokens");
    result.merges = texts("merges");
    for (const double score : metadata.numbers(key("scores")).value_or(std::vector<double>()))
        result.scores.push_back(static_cast<float>(score));
    for (const double kind : metadata.numbers(key("token_type")).value_or(std::vector<double>()))
        result.kinds.push_back(kind >= 0 && kind < 100 ? static_cast<std::int32_t>(kind) : 0);
    for (const double byte : metadata.numbers(key("precompiled_charsmap")).value_or(std::vector<double>()))
        result.char_map += static_cast<char>(byte >= -128 && byte < 256 ? static_cast<int>(byte) & 0xFF : 0);
    result.bos = id("bos_token_id");
    result.eos = id("eos_token_id");
    result.unknown = id("unknown_token_id");
    result.separator = id("seperator_token_id"); // spelled so in the format
    result.cls = id("cls_token_id");
    result.add_bos = metadata.flag(key("add_bos_token"));
    result.add_eos = metadata.flag(key("add_eos_token"));
    result.add_separator = metadata.flag(key("add_sep_token"));
    result.add_space_prefix = metadata.flag(key("add_space_prefix"));
    result.remove_extra_whitespaces = metadata.flag(key("remove_extra_whitespaces"));
    result.lowercase = metadata.flag(key("normalizer.lowercase"));
    return result;
}

} // namespace vitrine::tokenizer

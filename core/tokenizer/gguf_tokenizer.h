#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/formats/gguf_header.h"
#include "core/tokenizer/pipeline.h"

namespace vitrine::tokenizer {

/// What the metadata of a GGUF file say about its tokenizer ("tokenizer.ggml.…"); absent keys stay as they
/// are here.
struct GgufTokenizer {
    std::string architecture; ///< general.architecture
    std::string name;         ///< general.name
    std::string model;        ///< "gpt2", "llama", "bert", "t5"
    std::string pre;          ///< how "gpt2" splits words
    std::vector<std::string> tokens;
    std::vector<float> scores;       ///< empty, or one a token
    std::vector<std::int32_t> kinds; ///< token_type: empty, or one a token
    std::vector<std::string> merges;
    std::string char_map; ///< precompiled_charsmap
    std::optional<std::int32_t> bos, eos, unknown, separator, cls;
    std::optional<bool> add_bos, add_eos, add_separator, add_space_prefix, remove_extra_whitespaces;
    std::optional<bool> lowercase; ///< normalizer.lowercase
};

/// From a file's metadata; malformed: entries of the wrong type.
Result<GgufTokenizer> read_gguf_tokenizer(const formats::GgufMetadata& metadata, const std::string& where);

/// SHA-256 over everything that decides which ids a text gets.
std::string hash_of(const GgufTokenizer& metadata);

/// A tokenizer, and the ids that it puts around texts.
struct GgufPipeline {
    Pipeline pipeline;
    std::optional<std::int32_t> bos;
    std::optional<std::int32_t> eos;
};

/// Makes what llama.cpp makes of the same metadata; special tokens that stand in the text count always.
/// unsupported: a model or a `pre` that Vitrine does not know, by name. malformed: lists of different length,
/// ids beyond them.
Result<GgufPipeline> make_gguf_pipeline(GgufTokenizer metadata, const std::string& where);

} // namespace vitrine::tokenizer

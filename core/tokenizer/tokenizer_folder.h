#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/tokenizer/pipeline.h"

namespace vitrine::tokenizer {

/// What a folder says about its tokenizer.
struct TokenizerFolder {
    Pipeline pipeline;
    std::optional<std::int32_t> bos;
    std::optional<std::int32_t> eos;
    std::string hash; ///< SHA-256 over, for each file read: its name, a zero byte, its size in decimal, a
                      ///< zero byte, its bytes
};

/// tokenizer.json; else vocab.json and merges.txt; else encoder.json and vocab.bpe; else a sentencepiece
/// .model; else vocab.txt. BOS and EOS are named by tokenizer_config.json, special_tokens_map.json,
/// generation_config.json or config.json, the first that does.
Result<TokenizerFolder> read_tokenizer_folder(const std::filesystem::path& folder);

} // namespace vitrine::tokenizer

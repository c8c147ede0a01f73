#pragma once
#include "core/tokenizer/folder_reader.h"
#include "core/tokenizer/pipeline.h"

namespace vitrine::tokenizer {

/// tokenizer_config.json, special_tokens_map.json, added_tokens.json and config.json; empty if absent.
struct FolderSettings {
    LargeJson config, map, added, model;
};

/// A byte-level BPE in two files, as GPT-2 was published: vocab.json with merges.txt, encoder.json with
/// vocab.bpe.
Result<Pipeline> read_two_files(FolderReader& reader, const std::string& vocab_name,
                                const std::string& merges_name, const FolderSettings& settings);

/// A sentencepiece .model.
Result<Pipeline> read_sentencepiece_model(FolderReader& reader, const std::string& name,
                                          const FolderSettings& settings);

/// BERT's vocab.txt: a token a line.
Result<Pipeline> read_vocab_txt(FolderReader& reader, const FolderSettings& settings);

} // namespace vitrine::tokenizer

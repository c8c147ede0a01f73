#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/decoder.h"
#include "core/tokenizer/model.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/post_processor.h"
#include "core/tokenizer/pre_tokenizer.h"

namespace vitrine::tokenizer {

/// The stages that a text passes. All but the model may be null: nothing happens there.
struct Pipeline {
    std::unique_ptr<Normalizer> normalizer;
    std::unique_ptr<PreTokenizer> pre_tokenizer;
    std::unique_ptr<Model> model;
    std::unique_ptr<PostProcessor> post_processor;
    std::unique_ptr<Decoder> decoder;
    AddedTokens added;
    std::string name; ///< "BPE (byte-level)" …
    std::vector<std::string> warnings;
};

/// From the text of a tokenizer.json; `name` stands in the error sentences.
Result<Pipeline> read_pipeline(std::string_view json, std::string_view name);

/// From the members of a tokenizer.json other than "model", and a model read elsewhere.
Result<Pipeline> make_pipeline(const LargeJson& json, std::unique_ptr<Model> model, std::string_view name);

/// The tokens of a text, post-processed. The items' `spelled` is valid as long as `segments`.
Result<std::vector<Item>> run_pipeline(const Pipeline& pipeline, std::string_view text, bool add_special,
                                       Model::Scratch& scratch, std::vector<Segment>& segments);

} // namespace vitrine::tokenizer

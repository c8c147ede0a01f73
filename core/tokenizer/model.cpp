#include "core/tokenizer/model.h"

#include <fmt/format.h>

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/word_models.h"

namespace vitrine::tokenizer {

Result<std::unique_ptr<Model>> make_model(const Component& component) {
    const std::string type = component.type();
    if (type == "BPE") return read_bpe(component);
    if (type == "Unigram") return read_unigram(component);
    if (type == "WordPiece") return read_word_piece(component);
    if (type == "WordLevel") return read_word_level(component);
    // Files of early versions name no type.
    if (type.empty() && component.has("merges")) return read_bpe(component);
    if (type.empty() && component.has("continuing_subword_prefix")) return read_word_piece(component);
    const auto vocab = component.json().find("vocab");
    if (type.empty() && vocab != component.json().end() && vocab->is_array()) return read_unigram(component);
    return component.unknown_type("model");
}

} // namespace vitrine::tokenizer

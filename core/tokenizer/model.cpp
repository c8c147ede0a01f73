#include "core/tokenizer/model.h"

#include <fmt/format.h>

#include "core/tokenizer/bpe.h"

namespace vitrine::tokenizer {

Result<std::unique_ptr<Model>> make_model(const Component& component) {
    const std::string type = component.type();
    if (type == "BPE") return read_bpe(component);
    // Files of early versions name no type.
    if (type.empty() && component.has("merges")) return read_bpe(component);
    return component.unknown_type("model");
}

} // namespace vitrine::tokenizer

#pragma once
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/aligned_text.h"
#include "core/tokenizer/component.h"

namespace vitrine::tokenizer {

/// Rewrites the text before it is split. Every kind behaves as its namesake in the `tokenizers` library.
class Normalizer {
public:
    Normalizer() = default;
    Normalizer(const Normalizer&) = delete;
    Normalizer& operator=(const Normalizer&) = delete;
    virtual ~Normalizer() = default;

    virtual Status apply(AlignedText& text) const = 0;
};

/// One after the other.
std::unique_ptr<Normalizer> make_sequence_normalizer(std::vector<std::unique_ptr<Normalizer>> steps);

/// From the JSON object under "normalizer"; unsupported: a type that Vitrine does not know.
Result<std::unique_ptr<Normalizer>> make_normalizer(const Component& component);

} // namespace vitrine::tokenizer

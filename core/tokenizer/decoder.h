#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/component.h"

namespace vitrine::tokenizer {

/// Turns spelled tokens back into text. Every kind behaves as its namesake in the `tokenizers` library.
class Decoder {
public:
    Decoder() = default;
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    virtual ~Decoder() = default;

    /// The tokens of a text one after another; joined, the result is the text.
    virtual std::vector<std::string> decode(std::vector<std::string> tokens) const = 0;

    /// The bytes that one token adds in the middle of a text.
    virtual std::string bytes(std::string token) const = 0;
};

/// From the JSON object under "decoder"; unsupported: a type that Vitrine does not know.
Result<std::unique_ptr<Decoder>> make_decoder(const Component& component);

} // namespace vitrine::tokenizer

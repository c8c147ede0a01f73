#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/vocabulary.h"

namespace vitrine::tokenizer {

/// A token within a word: bytes [begin, end) of it.
struct WordToken {
    std::int32_t id = 0;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

/// Turns a word into tokens: the trained part of a tokenizer.
class Model {
public:
    /// What one thread needs while it tokenizes: buffers and remembered words.
    class Scratch {
    public:
        Scratch() = default;
        Scratch(const Scratch&) = delete;
        Scratch& operator=(const Scratch&) = delete;
        virtual ~Scratch() = default;
    };

    Model() = default;
    Model(const Model&) = delete;
    Model& operator=(const Model&) = delete;
    virtual ~Model() = default;

    virtual std::unique_ptr<Scratch> make_scratch() const = 0;

    /// Appends the tokens of a word that is not empty to `tokens`.
    virtual Status tokenize(std::string_view word, Scratch& scratch,
                            std::vector<WordToken>& tokens) const = 0;

    virtual const Vocabulary& vocabulary() const = 0;

    /// "BPE" …
    virtual std::string name() const = 0;

    /// True if words may come as bytes instead of as characters that spell bytes, with the same tokens;
    /// use_bytes() then switches to that.
    virtual bool can_use_bytes() const { return false; }
    virtual void use_bytes() {}

    /// What the user should know, one sentence each. `spelled`: bytes come as the characters of byte_level.h.
    virtual std::vector<std::string> warnings(bool /*spelled*/) const { return {}; }
};

/// From the JSON object under "model"; unsupported: a type that Vitrine does not know.
Result<std::unique_ptr<Model>> make_model(const Component& component);

} // namespace vitrine::tokenizer

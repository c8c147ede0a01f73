#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace vitrine::formats {
class GgufMetadata;
}

namespace vitrine::tokenizer {

struct GgufTokenizer;

/// A token of a text: bytes [start, end) of it. A part of a character has the whole character's span, an
/// inserted special token (0, 0).
struct Token {
    std::int32_t id = 0;
    std::uint32_t start = 0;
    std::uint32_t end = 0;
    bool special = false;
    bool operator==(const Token&) const = default;
};

/// Which special tokens are added to a text; those written in the text count always.
enum class Specials {
    by_template, ///< as the tokenizer itself does
    always_bos,  ///< as by_template, and a BOS at the start if the template puts none there
    never_bos,   ///< as by_template without a BOS at the start
    none,
};

/// Text ↔ ids, as the `tokenizers` library does it. May be used from several threads at once.
class Tokenizer {
public:
    /// From a folder with tokenizer.json, or with vocab.json and merges.txt (or encoder.json and vocab.bpe),
    /// a sentencepiece .model or BERT's vocab.txt. Errors: not_found, malformed; unsupported: a component
    /// that Vitrine does not know, by its name.
    static Result<Tokenizer> load(const std::filesystem::path& folder);

    /// From the text of a tokenizer.json; `name` stands in the error sentences. No BOS and EOS.
    static Result<Tokenizer> from_json(std::string_view json, std::string_view name);

    /// From the metadata of a GGUF file; `name` stands in the error sentences. Errors: as make_gguf_pipeline,
    /// and not_found if there is no tokenizer.
    static Result<Tokenizer> from_gguf(const formats::GgufMetadata& metadata, std::string_view name);

    /// The same from what they say.
    static Result<Tokenizer> from_gguf(GgufTokenizer metadata, std::string_view name);

    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    /// Errors: malformed (with the byte) if the text is not UTF-8; too_large from 4 GiB on; usage: always_bos
    /// without a BOS token.
    Result<std::vector<Token>> encode(std::string_view text, Specials specials = Specials::by_template) const;

    /// The text that ids stand for. Unknown ids are left out; parts that are not UTF-8 become U+FFFD.
    std::string decode(std::span<const std::int32_t> ids, bool skip_special) const;

    /// The bytes that a token adds in the middle of a text (may be no UTF-8); a special token's own text.
    std::string token_bytes(std::int32_t id) const;

    /// The same for display: what is not UTF-8 by itself becomes U+FFFD.
    std::string token_text(std::int32_t id) const;

    /// By the spelling in the files: "Ġthe", "<|endoftext|>".
    std::optional<std::int32_t> id_of(std::string_view token_content) const;

    /// Of a text that is exactly one token: " the".
    std::optional<std::int32_t> single_token(std::string_view text) const;

    std::optional<std::int32_t> bos() const;
    std::optional<std::int32_t> eos() const;
    bool is_special(std::int32_t id) const;

    /// One more than the largest id.
    std::size_t size() const;

    /// "BPE (byte-level)", "BPE (byte fallback)" …
    std::string name() const;

    /// SHA-256 over name and bytes of the files that were read.
    const std::string& hash() const;

    /// What the user should know, one sentence each.
    const std::vector<std::string>& warnings() const;

private:
    struct Parts;
    explicit Tokenizer(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> parts_;
};

} // namespace vitrine::tokenizer

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/component.h"

namespace vitrine::tokenizer {

/// Tokens as they are spelled in the files ("Ġthe", "▁the", "<0x0A>"), and their ids.
class Vocabulary {
public:
    Vocabulary() = default;
    Vocabulary(Vocabulary&&) = default;
    Vocabulary& operator=(Vocabulary&&) = default;
    Vocabulary(const Vocabulary&) = delete;
    Vocabulary& operator=(const Vocabulary&) = delete;

    /// From {"token": id, …}. malformed: an id that is not a number, twice the same id, ids far beyond the
    /// number of tokens.
    static Result<Vocabulary> read(const LargeJson& json, const std::string& where);

    /// The token at each id; of equal tokens the last is the one that is found.
    static Vocabulary listed(std::vector<std::string> tokens);

    std::optional<std::int32_t> id_of(std::string_view token) const;
    std::string_view token(std::int32_t id) const; ///< "" for an id that no token has
    bool has(std::int32_t id) const;

    std::size_t count() const { return count_; }         ///< tokens
    std::size_t end_id() const { return texts_.size(); } ///< one more than the largest id

private:
    std::vector<std::string> texts_;
    std::vector<bool> known_;
    std::size_t count_ = 0;
    std::unordered_map<std::string_view, std::int32_t> ids_; // keys point into texts_, which is never resized
};

} // namespace vitrine::tokenizer

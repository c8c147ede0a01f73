#include "core/tokenizer/vocabulary.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace vitrine::tokenizer {

Result<Vocabulary> Vocabulary::read(const LargeJson& json, const std::string& where) {
    if (!json.is_object()) return fail(Code::malformed, fmt::format("{} has no \"vocab\" of tokens.", where));
    std::uint64_t end = 0;
    for (const auto& [token, id] : json.items()) {
        if (!id.is_number_unsigned())
            return fail(Code::malformed,
                        fmt::format("{}: the id of token \"{}\" is not a number.", where, token));
        end = std::max(end, id.get<std::uint64_t>());
    }
    if (json.empty()) return fail(Code::malformed, fmt::format("{} has an empty \"vocab\".", where));
    // A few unused ids are common; an id of 2^60 is damage, and would be a table of that length.
    const std::uint64_t limit = 2 * json.size() + 65536;
    if (end >= limit)
        return fail(Code::malformed,
                    fmt::format("{}: the id {} is far beyond its {} tokens.", where, end, json.size()));

    Vocabulary vocabulary;
    vocabulary.texts_.resize(end + 1);
    vocabulary.known_.resize(end + 1);
    vocabulary.ids_.reserve(json.size());
    vocabulary.count_ = json.size();
    for (const auto& [token, value] : json.items()) {
        const auto id = value.get<std::size_t>();
        if (vocabulary.known_[id])
            return fail(Code::malformed, fmt::format("{}: the tokens \"{}\" and \"{}\" both have the id {}.",
                                                     where, vocabulary.texts_[id], token, id));
        vocabulary.texts_[id] = token;
        vocabulary.known_[id] = true;
        vocabulary.ids_.emplace(vocabulary.texts_[id], static_cast<std::int32_t>(id));
    }
    return vocabulary;
}

Vocabulary Vocabulary::listed(std::vector<std::string> tokens) {
    Vocabulary vocabulary;
    vocabulary.texts_ = std::move(tokens);
    vocabulary.count_ = vocabulary.texts_.size();
    vocabulary.known_.assign(vocabulary.count_, true);
    vocabulary.ids_.reserve(vocabulary.count_);
    for (std::size_t id = 0; id < vocabulary.count_; ++id)
        vocabulary.ids_.insert_or_assign(vocabulary.texts_[id], static_cast<std::int32_t>(id));
    return vocabulary;
}

std::optional<std::int32_t> Vocabulary::id_of(std::string_view token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
}

std::string_view Vocabulary::token(std::int32_t id) const {
    return has(id) ? std::string_view(texts_[static_cast<std::size_t>(id)]) : std::string_view();
}

bool Vocabulary::has(std::int32_t id) const {
    return id >= 0 && static_cast<std::size_t>(id) < texts_.size() && known_[static_cast<std::size_t>(id)];
}

} // namespace vitrine::tokenizer

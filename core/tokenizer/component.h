#pragma once
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/formats/large_json.h"
#include "core/tokenizer/regex.h"

namespace vitrine::tokenizer {

using formats::LargeJson;

/// One object of a tokenizer.json (a normalizer, a decoder …) with what error sentences call it.
class Component {
public:
    /// malformed unless `json` is an object; too_large if components are nested unreasonably deep.
    static Result<Component> open(const LargeJson& json, std::string where, int depth = 0);

    const LargeJson& json() const { return *json_; }
    const std::string& where() const { return where_; }
    int depth() const { return depth_; }

    std::string type() const;        ///< member "type", or "" if it has none
    bool has(const char* key) const; ///< there and not null

    /// Members by type; malformed if absent without fallback or of another type. null counts as absent.
    Result<bool> flag(const char* key, std::optional<bool> fallback = {}) const;
    Result<std::string> text(const char* key, const std::optional<std::string>& fallback = {}) const;
    Result<std::uint32_t> number(const char* key, std::optional<std::uint32_t> fallback = {}) const;
    Result<const LargeJson*> list(const char* key) const;
    Result<char32_t> character(const char* key) const;

    /// A component within this one.
    Result<Component> inside(const LargeJson& json) const { return open(json, where_, depth_ + 1); }

    /// unsupported: names the type and the kind of component.
    tl::unexpected<Error> unknown_type(const char* kind) const;

private:
    template <typename T>
    Result<T> member(const char* key, const std::optional<T>& fallback, bool (*fits)(const LargeJson&)) const;

    const LargeJson* json_ = nullptr;
    std::string where_;
    int depth_ = 0;
};

/// {"String": …} or {"Regex": …} as written for Split and Replace; a plain text is a String.
struct Pattern {
    std::string text;
    std::optional<Regex> regex; ///< empty: `text` is searched for literally
};
Result<Pattern> read_pattern(const Component& component, const char* key);

} // namespace vitrine::tokenizer

#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace vitrine {

/// JSON that keeps the order in which keys were written.
using Json = nlohmann::ordered_json;

/// `what` names the text in the error sentence (malformed, with line and column).
Result<Json> parse_json(std::string_view text, std::string_view what);
Result<Json> read_json(const std::filesystem::path& path);

/// One document as text: floats read back exactly, non-finite numbers are null, broken UTF-8 becomes U+FFFD.
std::string dump_json(const Json& json, int indent = -1);

/// The same document always as the same text, whatever the order of its keys: sorted by their bytes, no
/// spaces. Hashes of specs are SHA-256 of this text.
std::string canonical_json(const Json& json);

/// A member of the wanted type, or `fallback` if absent or null; malformed if it is of another type.
template <typename T>
Result<T> member_or(const Json& object, const char* key, T fallback, std::string_view what) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return fallback;
    try {
        return found->template get<T>();
    } catch (const nlohmann::json::exception&) {
        return fail(Code::malformed, std::string(what) + ": \"" + key + "\" has a value of the wrong type.");
    }
}

} // namespace vitrine

#include "core/tokenizer/component.h"

#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

constexpr int deepest = 16;

}

Result<Component> Component::open(const LargeJson& json, std::string where, int depth) {
    if (!json.is_object()) return fail(Code::malformed, fmt::format("{} is not an object.", where));
    if (depth > deepest)
        return fail(Code::too_large, fmt::format("{} is nested deeper than {} levels.", where, deepest));
    Component component;
    component.json_ = &json;
    component.where_ = std::move(where);
    component.depth_ = depth;
    if (const std::string type = component.type(); !type.empty()) component.where_ += " " + type;
    return component;
}

std::string Component::type() const {
    const auto found = json_->find("type");
    return found != json_->end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool Component::has(const char* key) const {
    const auto found = json_->find(key);
    return found != json_->end() && !found->is_null();
}

template <typename T>
Result<T> Component::member(const char* key, const std::optional<T>& fallback,
                            bool (*fits)(const LargeJson&)) const {
    const auto found = json_->find(key);
    if (found == json_->end() || found->is_null()) {
        if (fallback) return *fallback;
        return fail(Code::malformed, fmt::format("{} has no \"{}\".", where_, key));
    }
    if (!fits(*found))
        return fail(Code::malformed, fmt::format("{}: \"{}\" has a value of the wrong type.", where_, key));
    return found->get<T>();
}

Result<bool> Component::flag(const char* key, std::optional<bool> fallback) const {
    return member<bool>(key, fallback, [](const LargeJson& json) { return json.is_boolean(); });
}

Result<std::string> Component::text(const char* key, const std::optional<std::string>& fallback) const {
    return member<std::string>(key, fallback, [](const LargeJson& json) { return json.is_string(); });
}

Result<std::uint32_t> Component::number(const char* key, std::optional<std::uint32_t> fallback) const {
    return member<std::uint32_t>(key, fallback, [](const LargeJson& json) {
        return json.is_number_unsigned() && json.get<std::uint64_t>() <= 0x7FFFFFFFU;
    });
}

Result<const LargeJson*> Component::list(const char* key) const {
    const auto found = json_->find(key);
    if (found == json_->end() || !found->is_array())
        return fail(Code::malformed, fmt::format("{} has no list \"{}\".", where_, key));
    return &*found;
}

Result<char32_t> Component::character(const char* key) const {
    VITRINE_ASSIGN(const std::string text, this->text(key));
    if (text.empty() || decode_at(text, 0).bytes != text.size())
        return fail(Code::malformed, fmt::format("{}: \"{}\" must be one character.", where_, key));
    return decode_at(text, 0).value;
}

tl::unexpected<Error> Component::unknown_type(const char* kind) const {
    if (type().empty()) return fail(Code::malformed, fmt::format("{} has no \"type\".", where_));
    return fail(Code::unsupported,
                fmt::format("{}: Vitrine does not know the {} type \"{}\".", where_, kind, type()));
}

Result<Pattern> read_pattern(const Component& component, const char* key) {
    const auto found = component.json().find(key);
    const auto bad = [&] {
        return fail(Code::malformed,
                    fmt::format("{}: \"{}\" must be a String or a Regex.", component.where(), key));
    };
    if (found == component.json().end()) return bad();
    if (found->is_string()) return Pattern{found->get<std::string>(), std::nullopt};
    if (!found->is_object() || found->size() != 1 || !found->begin()->is_string()) return bad();
    const std::string kind = found->begin().key();
    Pattern pattern{found->begin()->get<std::string>(), std::nullopt};
    if (kind == "String") return pattern;
    if (kind != "Regex") return bad();
    VITRINE_ASSIGN(pattern.regex, Regex::compile(pattern.text, component.where()));
    return pattern;
}

} // namespace vitrine::tokenizer

#include "core/tokenizer/char_map.h"

#include <fmt/format.h>

#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i)
        value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return value;
}

// The fields of a unit.
bool has_leaf(std::uint32_t unit) { return (unit >> 8 & 1U) != 0; }
std::uint32_t value_of(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }
std::uint32_t label_of(std::uint32_t unit) { return unit & 0x800000FFU; }
std::uint32_t offset_of(std::uint32_t unit) { return unit >> 10 << ((unit & 0x200U) >> 6); }

} // namespace

Result<CharMap> CharMap::read(std::string_view bytes, const std::string& where) {
    CharMap map;
    if (bytes.empty()) return map;
    const auto bad = [&](const char* what) {
        return fail(Code::malformed, fmt::format("{}: the compiled normalization rules {}.", where, what));
    };
    if (bytes.size() < 4) return bad("are cut off");
    const std::uint32_t size = read_u32(bytes, 0);
    if (size > bytes.size() - 4) return bad("are cut off");
    if (size % 4 != 0 || size == 0) return bad("have no table");
    for (std::size_t at = 4; at < 4 + static_cast<std::size_t>(size); at += 4)
        map.units_.push_back(read_u32(bytes, at));
    map.replacements_ = std::string(bytes.substr(4 + size)) + '\0';
    if (const auto at = first_invalid(map.replacements_)) return bad("hold a text that is not UTF-8");
    return map;
}

template <typename Found>
void CharMap::walk(std::string_view text, Found found) const {
    if (units_.empty()) return;
    std::uint32_t place = offset_of(units_[0]);
    for (std::size_t at = 0; at < text.size() && text[at] != '\0'; ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        place ^= byte;
        if (place >= units_.size()) return;
        const std::uint32_t unit = units_[place];
        if (label_of(unit) != byte) return;
        place ^= offset_of(unit);
        if (place >= units_.size()) return;
        if (has_leaf(unit) && !found(at + 1, value_of(units_[place]))) return;
    }
}

std::string_view CharMap::replacement(std::uint32_t offset) const {
    if (offset >= replacements_.size() || is_continuation(replacements_[offset])) return {};
    return replacements_.c_str() + offset;
}

std::optional<std::string_view> CharMap::shortest(std::string_view text) const {
    std::optional<std::string_view> result;
    walk(text, [&](std::size_t, std::uint32_t offset) {
        result = replacement(offset);
        return false;
    });
    return result;
}

std::pair<std::size_t, std::string_view> CharMap::longest(std::string_view text) const {
    std::pair<std::size_t, std::uint32_t> last{0, 0};
    walk(text, [&](std::size_t bytes, std::uint32_t offset) {
        last = {bytes, offset};
        return true;
    });
    if (last.first == 0) return {0, {}};
    return {last.first, replacement(last.second)};
}

} // namespace vitrine::tokenizer

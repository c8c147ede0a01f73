#include "core/tokenizer/protobuf.h"

#include <bit>

#include <fmt/format.h>

namespace vitrine::tokenizer {

float ProtobufField::as_float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }

std::optional<std::uint64_t> ProtobufReader::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80) return value;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> ProtobufReader::fixed(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
        value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return value;
}

Result<std::optional<ProtobufField>> ProtobufReader::next() {
    if (rest_.empty()) return std::nullopt;
    const auto bad = [&] {
        return fail(Code::malformed,
                    fmt::format("{} is not a protobuf message: a field is cut off.", where_));
    };
    const auto key = varint();
    if (!key) return bad();
    ProtobufField field;
    field.number = static_cast<std::uint32_t>(*key >> 3);
    std::optional<std::uint64_t> value;
    switch (*key & 7U) {
    case 0:
        value = varint();
        break;
    case 1:
        value = fixed(8);
        break;
    case 2:
        value = varint();
        if (!value || *value > rest_.size()) return bad();
        field.bytes = rest_.substr(0, static_cast<std::size_t>(*value));
        rest_.remove_prefix(field.bytes.size());
        break;
    case 5:
        value = fixed(4);
        break;
    default:
        return fail(Code::malformed,
                    fmt::format("{} is not a protobuf message: a field has the unknown wire type {}.", where_,
                                *key & 7U));
    }
    if (!value) return bad();
    field.value = *value;
    return field;
}

} // namespace vitrine::tokenizer

#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace vitrine::tokenizer {

/// A field of a message in protobuf's wire format.
struct ProtobufField {
    std::uint32_t number = 0;
    std::uint64_t value = 0; ///< of a number; of a 32-bit field its bits
    std::string_view bytes;  ///< of a text or an inner message

    float as_float() const;
};

/// Reads the fields of a message one after another. sentencepiece's own library would be the only user of
/// libprotobuf in this program; the format needs these few lines.
class ProtobufReader {
public:
    /// `where` names the file in error sentences.
    ProtobufReader(std::string_view message, std::string where) : rest_(message), where_(std::move(where)) {}

    /// Nothing at the end; malformed if the bytes are no field.
    Result<std::optional<ProtobufField>> next();

private:
    std::optional<std::uint64_t> varint();
    std::optional<std::uint64_t> fixed(std::size_t bytes);

    std::string_view rest_;
    std::string where_;
};

} // namespace vitrine::tokenizer

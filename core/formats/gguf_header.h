#pragma once
// What stands before the data of a GGUF file: metadata and the list of tensors.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/formats/safetensors_header.h"

namespace vitrine::formats {

/// Types of metadata, numbered as in the file.
enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

/// A value of the metadata, left where it lies in the file.
struct GgufValue {
    GgufType type = GgufType::u8;     ///< of the value, or of an array's elements
    bool array = false;               ///< of arrays, if `type` is array
    std::uint64_t count = 1;          ///< elements of an array
    std::span<const std::byte> bytes; ///< without the types and the count
};

/// Metadata by key. What it returns points into the file.
class GgufMetadata {
public:
    /// nullptr if there is no such key.
    const GgufValue* find(std::string_view key) const;

    // Nothing if the key is absent or holds something else.
    std::optional<std::string_view> text(std::string_view key) const;
    std::optional<double> number(std::string_view key) const; ///< of any numeric type
    std::optional<std::int64_t> integer(std::string_view key) const;
    std::optional<bool> flag(std::string_view key) const;
    std::optional<std::vector<std::string_view>> texts(std::string_view key) const;
    std::optional<std::vector<double>> numbers(std::string_view key) const; ///< truth as 0 and 1

    /// In the order of the file.
    const std::vector<std::string>& keys() const { return keys_; }

    /// False if the key was there.
    bool add(std::string key, GgufValue value);

private:
    std::vector<std::string> keys_;
    std::unordered_map<std::string, GgufValue> values_;
};

struct GgufHeader {
    std::uint32_t version = 0;
    GgufMetadata metadata;
    std::vector<HeaderTensor> tensors; ///< row-major: the axes in the opposite order of the file's
};

/// Reads and checks everything in front of the data of a whole GGUF file, version 2 or 3, little endian.
/// Every count is checked against the bytes there are before anything is allocated; tensors lie at multiples
/// of the alignment, inside the file, without overlap, with names of their own. `file_name` stands in the
/// error sentences. Errors: malformed; unsupported for other versions, big endian, and element types not in
/// DType, by name.
Result<GgufHeader> parse_gguf_header(std::span<const std::byte> file, std::string_view file_name);

} // namespace vitrine::formats

#include "core/formats/npy.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/mapped_file.h"

namespace vitrine::formats {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t alignment = 64; // of the data, as numpy pads

constexpr std::array<std::pair<DType, std::string_view>, 9> descriptions{{{DType::f64, "<f8"},
                                                                          {DType::f32, "<f4"},
                                                                          {DType::f16, "<f2"},
                                                                          {DType::i64, "<i8"},
                                                                          {DType::i32, "<i4"},
                                                                          {DType::i16, "<i2"},
                                                                          {DType::i8, "|i1"},
                                                                          {DType::u8, "|u1"},
                                                                          {DType::boolean, "|b1"}}};

/// The header is a Python dictionary in text; the part behind a key's colon, or nothing.
std::optional<std::string_view> value_of(std::string_view header, std::string_view key) {
    const auto at = header.find(fmt::format("'{}'", key));
    if (at == std::string_view::npos) return std::nullopt;
    const auto start = header.find_first_not_of(" :", at + key.size() + 2);
    if (start == std::string_view::npos) return std::nullopt;
    return header.substr(start);
}

/// "(2, 3)", "(2,)", "()" → axes; nothing if it is anything else or beyond 2^63 bytes.
std::optional<Shape> parse_shape(std::string_view text, std::size_t element) {
    const auto close = text.find(')');
    if (text.empty() || text.front() != '(' || close == std::string_view::npos) return std::nullopt;
    text = text.substr(1, close - 1);
    Shape shape;
    auto total = static_cast<std::int64_t>(element);
    while (!text.empty()) {
        if (text.front() == ' ' || text.front() == ',') {
            text.remove_prefix(1);
            continue;
        }
        std::int64_t axis = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), axis);
        if (error != std::errc() || axis < 0) return std::nullopt;
        if (axis > 0 && total > std::numeric_limits<std::int64_t>::max() / axis) return std::nullopt;
        total *= axis;
        shape.push_back(axis);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    }
    return shape;
}

Result<DType> parse_description(std::string_view text, std::string_view file_name) {
    const auto quote = text.size() > 1 ? text.find('\'', 1) : std::string_view::npos;
    const std::string_view wanted =
        quote == std::string_view::npos ? text.substr(0, 16) : text.substr(1, quote - 1);
    for (const auto& [dtype, description] : descriptions)
        if (wanted == description) return dtype;
    return fail(
        Code::unsupported,
        fmt::format("{} has elements of numpy type {}, which Vitrine does not read; save it as float32.",
                    file_name, wanted));
}

} // namespace

Tensor NpyArray::to_float() const {
    Tensor tensor(shape);
    widen(dtype, bytes.data(), tensor.data);
    return tensor;
}

Result<NpyArray> parse_npy(std::span<const std::byte> file, std::string_view file_name) {
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    if (text.size() < 12 || text.substr(0, magic.size()) != magic)
        return fail(Code::malformed, fmt::format("{} is not a .npy file.", file_name));
    const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(file[i]); };
    const std::size_t version = byte(6);
    if (version < 1 || version > 3)
        return fail(
            Code::unsupported,
            fmt::format("{} has .npy format version {}, which Vitrine does not read.", file_name, version));
    const std::size_t header_start = version == 1 ? 10 : 12;
    std::size_t length = byte(8) | byte(9) << 8;
    if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
    if (length > text.size() - header_start)
        return fail(Code::malformed, fmt::format("{} is truncated within its header.", file_name));

    const std::string_view header = text.substr(header_start, length);
    const auto description = value_of(header, "descr");
    const auto fortran = value_of(header, "fortran_order");
    const auto shape_text = value_of(header, "shape");
    if (!description || !fortran || !shape_text)
        return fail(Code::malformed,
                    fmt::format("{} has a header without descr, fortran_order or shape.", file_name));
    NpyArray array;
    VITRINE_ASSIGN(array.dtype, parse_description(*description, file_name));
    auto shape = parse_shape(*shape_text, dtype_size(array.dtype));
    if (!shape) return fail(Code::malformed, fmt::format("{} has a shape that is not one.", file_name));
    array.shape = std::move(*shape);
    if (fortran->starts_with("True") && array.shape.size() > 1)
        return fail(Code::unsupported,
                    fmt::format("{} is in Fortran order; save numpy.ascontiguousarray of it.", file_name));
    const auto data = file.subspan(header_start + length);
    const auto needed = array.view().bytes();
    if (data.size() != needed)
        return fail(Code::malformed, fmt::format("{} has {} bytes of data where its shape and type need {}.",
                                                 file_name, data.size(), needed));
    array.bytes.assign(data.begin(), data.end());
    return array;
}

Result<NpyArray> read_npy(const std::filesystem::path& path) {
    VITRINE_ASSIGN(const MappedFile file, MappedFile::open(path));
    return parse_npy(file.bytes(), path.string());
}

Result<std::string> npy_bytes(const TensorView& array) {
    std::string_view description;
    for (const auto& [dtype, text] : descriptions)
        if (dtype == array.dtype) description = text;
    if (description.empty())
        return fail(Code::unsupported,
                    fmt::format("numpy has no {}; write the array as float32.", dtype_name(array.dtype)));
    std::string header =
        fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", description,
                    fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
    const std::size_t before = magic.size() + 4 + header.size() + 1;
    header.append((alignment - before % alignment) % alignment, ' ');
    header += '\n';
    std::string bytes(magic);
    bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};
    bytes += header;
    bytes.append(reinterpret_cast<const char*>(array.data), array.bytes());
    return bytes;
}

Status write_npy(const std::filesystem::path& path, const TensorView& array) {
    VITRINE_ASSIGN(const std::string bytes, npy_bytes(array));
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) return fail(Code::io, fmt::format("{} could not be written; is the disk full?", path.string()));
    return {};
}

} // namespace vitrine::formats

#include "core/formats/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vitrine::formats {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t largest_header = 100'000'000; // the format's own limit

std::optional<DType> dtype_of(std::string_view stored) {
    static constexpr std::array<std::pair<std::string_view, DType>, 10> names{{{"F64", DType::f64},
                                                                               {"F32", DType::f32},
                                                                               {"F16", DType::f16},
                                                                               {"BF16", DType::bf16},
                                                                               {"I64", DType::i64},
                                                                               {"I32", DType::i32},
                                                                               {"I16", DType::i16},
                                                                               {"I8", DType::i8},
                                                                               {"U8", DType::u8},
                                                                               {"BOOL", DType::boolean}}};
    for (const auto& [name, dtype] : names)
        if (name == stored) return dtype;
    return std::nullopt;
}

/// Takes the header's JSON event by event: a document tree would drop duplicate names silently.
class HeaderReader {
public:
    struct Entry {
        std::string name;
        std::string dtype;
        std::vector<std::uint64_t> shape;
        std::vector<std::uint64_t> offsets;
        bool has_dtype = false, has_shape = false, has_offsets = false;
    };

    std::vector<Entry> entries;
    std::string problem; // empty: none

    bool start_object(std::size_t) {
        ++depth_;
        if (skipping()) return true;
        if (depth_ == 1) return true;
        if (depth_ == 2 && in_metadata_) return true;
        if (depth_ == 2) {
            entries.push_back({});
            entries.back().name = name_;
            return true;
        }
        return refuse_value();
    }

    bool key(std::string& key) {
        if (skipping()) return true;
        if (depth_ == 1) {
            if (!names_.insert(key).second) return refuse(fmt::format("\"{}\" is there twice", key));
            in_metadata_ = key == "__metadata__";
            name_ = std::move(key);
            return true;
        }
        if (in_metadata_) return true;
        Entry& entry = entries.back();
        field_ = key == "dtype"          ? Field::dtype
                 : key == "shape"        ? Field::shape
                 : key == "data_offsets" ? Field::offsets
                                         : Field::other;
        bool* const seen = field_ == Field::dtype     ? &entry.has_dtype
                           : field_ == Field::shape   ? &entry.has_shape
                           : field_ == Field::offsets ? &entry.has_offsets
                                                      : nullptr;
        if (seen != nullptr && std::exchange(*seen, true))
            return refuse(fmt::format("tensor \"{}\" has \"{}\" twice", entry.name, key));
        if (field_ == Field::other) skip_from_ = depth_;
        return true;
    }

    bool end_object() {
        --depth_;
        return end_value();
    }

    bool start_array(std::size_t) {
        ++depth_;
        if (skipping()) return true;
        const bool wanted =
            depth_ == 3 && !in_metadata_ && (field_ == Field::shape || field_ == Field::offsets);
        return wanted || refuse_value();
    }

    bool end_array() {
        --depth_;
        return end_value();
    }

    bool string(std::string& text) {
        if (skipping()) return end_value();
        if (depth_ == 2 && in_metadata_) return true;
        if (depth_ != 2 || field_ != Field::dtype) return refuse_value();
        entries.back().dtype = text;
        return true;
    }

    bool number_unsigned(std::uint64_t number) {
        if (skipping()) return end_value();
        if (depth_ != 3) return refuse_value();
        auto& list = field_ == Field::shape ? entries.back().shape : entries.back().offsets;
        list.push_back(number);
        return true;
    }

    bool number_integer(std::int64_t) { return other_scalar(); } // a negative number
    bool number_float(double, const std::string&) { return other_scalar(); }
    bool boolean(bool) { return other_scalar(); }
    bool null() { return other_scalar(); }
    bool binary(std::vector<std::uint8_t>&) { return other_scalar(); }

    template <typename Exception>
    bool parse_error(std::size_t position, const std::string&, const Exception&) {
        return refuse(fmt::format("it is not valid JSON at byte {}", position));
    }

private:
    enum class Field { dtype, shape, offsets, other };

    bool skipping() const { return skip_from_ != 0; }

    /// The value of an unknown member of a tensor has ended, if nesting is back where its key stood.
    bool end_value() {
        if (depth_ == skip_from_) skip_from_ = 0;
        return true;
    }

    bool other_scalar() { return skipping() ? end_value() : refuse_value(); }

    bool refuse(std::string why) {
        problem = std::move(why);
        return false;
    }

    bool refuse_value() {
        if (depth_ == 0) return refuse("it is not an object");
        if (in_metadata_) return refuse("\"__metadata__\" is not an object of texts");
        return refuse(fmt::format("the description of tensor \"{}\" has a value of the wrong type", name_));
    }

    std::unordered_set<std::string> names_;
    std::string name_;
    std::size_t depth_ = 0;
    std::size_t skip_from_ = 0; // depth of the tensor whose unknown member is being passed over, or 0
    Field field_ = Field::other;
    bool in_metadata_ = false;
};

/// Bytes that a shape needs, or nothing if that is beyond 2^63 - 1.
std::optional<std::uint64_t> bytes_needed(const std::vector<std::uint64_t>& shape, DType dtype) {
    constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t total = dtype_size(dtype);
    for (const std::uint64_t axis : shape) {
        if (axis > limit || (axis != 0 && total > limit / axis)) return std::nullopt;
        total *= axis;
    }
    return total;
}

Result<HeaderTensor> check_entry(const HeaderReader::Entry& entry, std::size_t data_start,
                                 std::size_t file_size, std::string_view file_name) {
    const auto malformed = [&](const std::string& why) {
        return fail(Code::malformed,
                    fmt::format("{}: tensor \"{}\" {}; the file is damaged.", file_name, entry.name, why));
    };
    if (!entry.has_dtype || !entry.has_shape || !entry.has_offsets)
        return malformed("lacks dtype, shape or data_offsets");
    const auto dtype = dtype_of(entry.dtype);
    if (!dtype)
        return fail(Code::unsupported,
                    fmt::format("{}: tensor \"{}\" has the element type \"{}\", which Vitrine does not read; "
                                "convert the model to F32, F16 or BF16.",
                                file_name, entry.name, entry.dtype));
    if (entry.offsets.size() != 2 || entry.offsets[0] > entry.offsets[1])
        return malformed("has data_offsets that are not [begin, end]");
    if (entry.offsets[1] > file_size - data_start)
        return malformed(fmt::format("ends at data byte {} of {}", entry.offsets[1], file_size - data_start));
    const auto needed = bytes_needed(entry.shape, *dtype);
    if (!needed) return malformed("has a shape of more than 2^63 bytes");
    if (*needed != entry.offsets[1] - entry.offsets[0])
        return malformed(fmt::format("has {} bytes where its shape and type need {}",
                                     entry.offsets[1] - entry.offsets[0], *needed));
    HeaderTensor tensor{entry.name, *dtype, {}, data_start + entry.offsets[0], data_start + entry.offsets[1]};
    tensor.shape.assign(entry.shape.begin(), entry.shape.end());
    return tensor;
}

/// Tensors sorted by place must follow one another without overlap, hole or rest.
Status check_places(const std::vector<HeaderTensor>& tensors, std::size_t data_start, std::size_t file_size,
                    std::string_view file_name) {
    std::size_t reached = data_start;
    for (const auto& tensor : tensors) {
        if (tensor.begin < reached)
            return fail(Code::malformed,
                        fmt::format("{}: tensor \"{}\" overlaps another; the file is damaged.", file_name,
                                    tensor.name));
        if (tensor.begin > reached)
            return fail(
                Code::malformed,
                fmt::format("{}: {} bytes before tensor \"{}\" belong to no tensor; the file is damaged.",
                            file_name, tensor.begin - reached, tensor.name));
        reached = tensor.end;
    }
    if (reached != file_size)
        return fail(Code::malformed,
                    fmt::format("{}: {} bytes at the end belong to no tensor; the file is damaged.",
                                file_name, file_size - reached));
    return {};
}

} // namespace

Result<std::vector<HeaderTensor>> parse_safetensors_header(std::span<const std::byte> file,
                                                           std::string_view file_name) {
    if (file.size() < length_bytes)
        return fail(Code::malformed,
                    fmt::format("{} has {} bytes, too few for a safetensors file.", file_name, file.size()));
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        length |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
    if (length > largest_header)
        return fail(Code::malformed,
                    fmt::format("{} is no safetensors file: its header would have {} bytes, more "
                                "than the 100,000,000 that the format allows.",
                                file_name, length));
    if (length > file.size() - length_bytes)
        return fail(Code::malformed,
                    fmt::format("{} is truncated: its header has {} bytes, but only {} follow.", file_name,
                                length, file.size() - length_bytes));

    const std::string_view text(reinterpret_cast<const char*>(file.data()) + length_bytes, length);
    HeaderReader reader;
    if (text.empty() || text.front() != '{')
        reader.problem = "it does not begin with {";
    else
        nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
    if (!reader.problem.empty())
        return fail(Code::malformed, fmt::format("{} has a broken header: {}.", file_name, reader.problem));

    const std::size_t data_start = length_bytes + length;
    std::vector<HeaderTensor> tensors;
    tensors.reserve(reader.entries.size());
    for (const auto& entry : reader.entries) {
        VITRINE_ASSIGN(auto tensor, check_entry(entry, data_start, file.size(), file_name));
        tensors.push_back(std::move(tensor));
    }
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    VITRINE_TRY(check_places(tensors, data_start, file.size(), file_name));
    return tensors;
}

} // namespace vitrine::formats

#include "core/formats/gguf_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/base/utf8.h"

namespace vitrine::formats {

namespace {

constexpr std::uint32_t magic = 0x46554747; // "GGUF"
constexpr int deepest_array = 4;
constexpr std::uint32_t most_axes = 4;
constexpr std::uint64_t default_alignment = 32;
// The least that an entry takes: an empty key, a type and one byte; an empty name, no axes, a type, an
// offset.
constexpr std::uint64_t smallest_value = 13;
constexpr std::uint64_t smallest_tensor = 24;

struct TypeName {
    std::uint32_t number;
    std::string_view name;
    std::optional<DType> dtype;
};

constexpr std::array<TypeName, 34> types{
    {{0, "F32", DType::f32},        {1, "F16", DType::f16},        {2, "Q4_0", DType::q4_0},
     {3, "Q4_1", DType::q4_1},      {4, "Q4_2", std::nullopt},     {5, "Q4_3", std::nullopt},
     {6, "Q5_0", DType::q5_0},      {7, "Q5_1", DType::q5_1},      {8, "Q8_0", DType::q8_0},
     {9, "Q8_1", std::nullopt},     {10, "Q2_K", DType::q2_k},     {11, "Q3_K", DType::q3_k},
     {12, "Q4_K", DType::q4_k},     {13, "Q5_K", DType::q5_k},     {14, "Q6_K", DType::q6_k},
     {15, "Q8_K", std::nullopt},    {16, "IQ2_XXS", std::nullopt}, {17, "IQ2_XS", std::nullopt},
     {18, "IQ3_XXS", std::nullopt}, {19, "IQ1_S", std::nullopt},   {20, "IQ4_NL", std::nullopt},
     {21, "IQ3_S", std::nullopt},   {22, "IQ2_S", std::nullopt},   {23, "IQ4_XS", std::nullopt},
     {24, "I8", DType::i8},         {25, "I16", DType::i16},       {26, "I32", DType::i32},
     {27, "I64", DType::i64},       {28, "F64", DType::f64},       {29, "IQ1_M", std::nullopt},
     {30, "BF16", DType::bf16},     {34, "TQ1_0", std::nullopt},   {35, "TQ2_0", std::nullopt},
     {39, "MXFP4", std::nullopt}}};

/// Bytes of a metadata type of fixed size; 0 for texts and arrays; nothing for an unknown type.
std::optional<std::size_t> fixed_size(std::uint32_t type) {
    constexpr std::array<std::size_t, 13> sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type >= sizes.size()) return std::nullopt;
    return sizes[type];
}

template <typename T>
T read_as(std::span<const std::byte> bytes) {
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

/// Takes bytes from the front of what is left. Once something is missing, `ok` stays false.
class Cursor {
public:
    explicit Cursor(std::span<const std::byte> file) : file_(file) {}

    std::span<const std::byte> take(std::uint64_t count) {
        if (count > left()) {
            ok = false;
            return {};
        }
        const auto part = file_.subspan(at_, static_cast<std::size_t>(count));
        at_ += static_cast<std::size_t>(count);
        return part;
    }
    template <typename T>
    T number() {
        const auto bytes = take(sizeof(T));
        return ok ? read_as<T>(bytes) : T{};
    }
    std::string_view text() {
        const auto bytes = take(number<std::uint64_t>());
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    std::uint64_t left() const { return file_.size() - at_; }
    std::size_t at() const { return at_; }

    bool ok = true;

private:
    std::span<const std::byte> file_;
    std::size_t at_ = 0;
};

/// A value as it lies in the file, or what is wrong with it.
class ValueReader {
public:
    explicit ValueReader(Cursor& cursor) : cursor_(cursor) {}

    GgufValue read() {
        GgufValue value;
        std::uint32_t type = cursor_.number<std::uint32_t>();
        if (type == static_cast<std::uint32_t>(GgufType::array)) {
            value.array = true;
            type = cursor_.number<std::uint32_t>();
            value.count = cursor_.number<std::uint64_t>();
        }
        const std::size_t start = cursor_.at();
        skip(type, value.count, 1);
        if (!cursor_.ok || unknown_) return value;
        value.type = static_cast<GgufType>(type);
        value.bytes = cursor_.take(0); // its start is the end of the value
        value.bytes = {value.bytes.data() - (cursor_.at() - start), cursor_.at() - start};
        return value;
    }

    /// The number of a type that is not one.
    std::optional<std::uint32_t> unknown() const { return unknown_; }
    bool too_deep() const { return too_deep_; }

private:
    void skip(std::uint32_t type, std::uint64_t count, int depth) {
        const auto size = fixed_size(type);
        if (!size) {
            if (cursor_.ok) unknown_ = type;
            return;
        }
        if (*size > 0) {
            if (count > cursor_.left() / *size)
                cursor_.ok = false;
            else
                cursor_.take(count * *size);
            return;
        }
        for (std::uint64_t i = 0; i < count && cursor_.ok && !unknown_ && !too_deep_; ++i) {
            if (type == static_cast<std::uint32_t>(GgufType::text)) {
                cursor_.text();
            } else if (depth == deepest_array) {
                too_deep_ = true;
            } else {
                const auto inner = cursor_.number<std::uint32_t>();
                const auto inner_count = cursor_.number<std::uint64_t>();
                if (cursor_.ok) skip(inner, inner_count, depth + 1);
            }
        }
    }

    Cursor& cursor_;
    std::optional<std::uint32_t> unknown_;
    bool too_deep_ = false;
};

double number_at(GgufType type, std::span<const std::byte> bytes) {
    switch (type) {
    case GgufType::u8:
    case GgufType::boolean:
        return read_as<std::uint8_t>(bytes);
    case GgufType::i8:
        return read_as<std::int8_t>(bytes);
    case GgufType::u16:
        return read_as<std::uint16_t>(bytes);
    case GgufType::i16:
        return read_as<std::int16_t>(bytes);
    case GgufType::u32:
        return read_as<std::uint32_t>(bytes);
    case GgufType::i32:
        return read_as<std::int32_t>(bytes);
    case GgufType::f32:
        return static_cast<double>(read_as<float>(bytes));
    case GgufType::u64:
        return static_cast<double>(read_as<std::uint64_t>(bytes));
    case GgufType::i64:
        return static_cast<double>(read_as<std::int64_t>(bytes));
    case GgufType::f64:
        return read_as<double>(bytes);
    default:
        return 0;
    }
}

class HeaderParser {
public:
    HeaderParser(std::span<const std::byte> file, std::string_view name)
        : file_(file), name_(name), cursor_(file) {}

    Result<GgufHeader> parse() {
        const auto word = cursor_.number<std::uint32_t>();
        if (!cursor_.ok || word != magic)
            return fail(Code::malformed, fmt::format("{} is not a GGUF file.", name_));
        header_.version = cursor_.number<std::uint32_t>();
        const auto tensors = cursor_.number<std::uint64_t>();
        const auto values = cursor_.number<std::uint64_t>();
        if (!cursor_.ok) return truncated("its header");
        if (header_.version != 2 && header_.version != 3) return other_version();
        if (values > cursor_.left() / smallest_value)
            return fail(Code::malformed,
                        fmt::format("{} claims {} metadata values, more than fit into it.", name_, values));
        for (std::uint64_t i = 0; i < values; ++i)
            VITRINE_TRY(value());
        if (tensors > cursor_.left() / smallest_tensor)
            return fail(Code::malformed,
                        fmt::format("{} claims {} tensors, more than fit into it.", name_, tensors));
        VITRINE_TRY(read_alignment());
        for (std::uint64_t i = 0; i < tensors; ++i)
            VITRINE_TRY(tensor());
        VITRINE_TRY(place());
        return std::move(header_);
    }

private:
    tl::unexpected<Error> truncated(std::string_view where) const {
        return fail(Code::malformed,
                    fmt::format("{} is truncated within {}; download it again.", name_, where));
    }

    tl::unexpected<Error> other_version() const {
        const std::uint32_t swapped = __builtin_bswap32(header_.version);
        if (swapped == 2 || swapped == 3)
            return fail(Code::unsupported,
                        fmt::format("{} is a big-endian GGUF file; convert it to little endian.", name_));
        return fail(Code::unsupported,
                    fmt::format("{} has GGUF version {}; Vitrine reads 2 and 3.", name_, header_.version));
    }

    Status value() {
        std::string key(cursor_.text());
        ValueReader reader(cursor_);
        const GgufValue value = reader.read();
        if (!cursor_.ok) return truncated("its metadata");
        VITRINE_TRY(check_utf8(key, fmt::format("{}: a metadata key", name_)));
        if (reader.unknown())
            return fail(Code::malformed, fmt::format("{}: the metadata value \"{}\" has the unknown type {}.",
                                                     name_, key, *reader.unknown()));
        if (reader.too_deep())
            return fail(Code::malformed,
                        fmt::format("{}: the metadata value \"{}\" is an array nested deeper than {} levels.",
                                    name_, key, deepest_array));
        if (!header_.metadata.add(key, value))
            return fail(Code::malformed, fmt::format("{} has the metadata key \"{}\" twice.", name_, key));
        return {};
    }

    Status read_alignment() {
        if (header_.metadata.find("general.alignment") == nullptr) return {};
        const auto given = header_.metadata.integer("general.alignment").value_or(0);
        if (given < 1 || given > (std::int64_t{1} << 30) ||
            !std::has_single_bit(static_cast<std::uint64_t>(given)))
            return fail(Code::malformed,
                        fmt::format("{}: general.alignment must be a power of two up to 2^30.", name_));
        alignment_ = static_cast<std::uint64_t>(given);
        return {};
    }

    Status tensor() {
        HeaderTensor tensor;
        tensor.name = cursor_.text();
        const auto axes = cursor_.number<std::uint32_t>();
        if (!cursor_.ok) return truncated("its list of tensors");
        VITRINE_TRY(check_utf8(tensor.name, fmt::format("{}: a tensor's name", name_)));
        if (axes > most_axes)
            return fail(Code::malformed, fmt::format("{}: tensor \"{}\" has {} axes; there may be {}.", name_,
                                                     tensor.name, axes, most_axes));
        std::int64_t count = 1;
        bool fits = true;
        for (std::uint32_t i = 0; i < axes; ++i) {
            const auto axis = cursor_.number<std::uint64_t>();
            constexpr auto most = std::numeric_limits<std::int64_t>::max();
            fits = fits && axis <= static_cast<std::uint64_t>(most) &&
                   !__builtin_mul_overflow(count, static_cast<std::int64_t>(axis), &count);
            tensor.shape.push_back(static_cast<std::int64_t>(axis & static_cast<std::uint64_t>(most)));
        }
        const auto type = cursor_.number<std::uint32_t>();
        const auto offset = cursor_.number<std::uint64_t>();
        if (!cursor_.ok) return truncated("its list of tensors");
        if (!names_.insert(tensor.name).second)
            return fail(Code::malformed, fmt::format("{} has the tensor \"{}\" twice.", name_, tensor.name));
        VITRINE_ASSIGN(tensor.dtype, dtype_of(type, tensor.name));
        const std::int64_t block = block_elements(tensor.dtype);
        if (!fits || count / block > static_cast<std::int64_t>(file_.size()) * 8)
            return fail(Code::malformed,
                        fmt::format("{}: tensor \"{}\" claims more elements than the file can hold.", name_,
                                    tensor.name));
        if (block > 1 && (tensor.shape.empty() || tensor.shape.front() % block != 0))
            return fail(Code::malformed,
                        fmt::format("{}: tensor \"{}\" has rows of {} elements, which do not divide into the "
                                    "blocks of {} of {}.",
                                    name_, tensor.name, tensor.shape.empty() ? 1 : tensor.shape.front(),
                                    block, dtype_name(tensor.dtype)));
        if (offset % alignment_ != 0)
            return fail(Code::malformed, fmt::format("{}: tensor \"{}\" does not start at a multiple of {}.",
                                                     name_, tensor.name, alignment_));
        std::reverse(tensor.shape.begin(), tensor.shape.end());
        tensor.begin = static_cast<std::size_t>(offset); // from the start of the data, for now
        tensor.end = stored_bytes(tensor.dtype, count);  // its size, for now
        header_.tensors.push_back(std::move(tensor));
        return {};
    }

    Result<DType> dtype_of(std::uint32_t type, const std::string& tensor) const {
        for (const TypeName& known : types) {
            if (known.number != type) continue;
            if (known.dtype) return *known.dtype;
            return fail(
                Code::unsupported,
                fmt::format("{}: tensor \"{}\" is stored as {}, which Vitrine does not read; it reads "
                            "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 and Q2_K to Q6_K.",
                            name_, tensor, known.name));
        }
        return fail(Code::unsupported,
                    fmt::format("{}: tensor \"{}\" has the unknown type {}.", name_, tensor, type));
    }

    /// Turns offsets into places in the file.
    Status place() {
        const std::uint64_t padded = (cursor_.at() + alignment_ - 1) / alignment_ * alignment_;
        const std::uint64_t start = std::min<std::uint64_t>(padded, file_.size());
        std::vector<HeaderTensor*> ordered;
        for (HeaderTensor& tensor : header_.tensors) {
            const std::uint64_t size = tensor.end;
            if (tensor.begin > file_.size() - start || size > file_.size() - start - tensor.begin)
                return fail(Code::malformed,
                            fmt::format("{}: tensor \"{}\" lies beyond the end of the file; the download may "
                                        "be incomplete.",
                                        name_, tensor.name));
            tensor.begin += static_cast<std::size_t>(start);
            tensor.end = tensor.begin + static_cast<std::size_t>(size);
            if (size > 0) ordered.push_back(&tensor);
        }
        std::sort(ordered.begin(), ordered.end(), [](auto* a, auto* b) { return a->begin < b->begin; });
        for (std::size_t i = 1; i < ordered.size(); ++i)
            if (ordered[i]->begin < ordered[i - 1]->end)
                return fail(Code::malformed, fmt::format("{}: the tensors \"{}\" and \"{}\" overlap.", name_,
                                                         ordered[i - 1]->name, ordered[i]->name));
        return {};
    }

    std::span<const std::byte> file_;
    std::string_view name_;
    Cursor cursor_;
    GgufHeader header_;
    std::unordered_set<std::string> names_;
    std::uint64_t alignment_ = default_alignment;
};

} // namespace

bool GgufMetadata::add(std::string key, GgufValue value) {
    if (!values_.emplace(key, value).second) return false;
    keys_.push_back(std::move(key));
    return true;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
    const auto found = values_.find(std::string(key));
    return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::string_view> GgufMetadata::text(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr || value->array || value->type != GgufType::text) return std::nullopt;
    return Cursor(value->bytes).text();
}

std::optional<double> GgufMetadata::number(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr || value->array || value->type == GgufType::text || value->type == GgufType::boolean)
        return std::nullopt;
    return number_at(value->type, value->bytes);
}

std::optional<std::int64_t> GgufMetadata::integer(std::string_view key) const {
    const auto value = number(key);
    constexpr double limit = 9007199254740992.0; // 2^53: exact in a double
    if (!value || !(*value >= -limit && *value <= limit)) return std::nullopt;
    const auto whole = static_cast<std::int64_t>(*value);
    if (static_cast<double>(whole) != *value) return std::nullopt;
    return whole;
}

std::optional<bool> GgufMetadata::flag(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr || value->array || value->type != GgufType::boolean) return std::nullopt;
    return value->bytes.front() != std::byte{0};
}

std::optional<std::vector<std::string_view>> GgufMetadata::texts(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr || !value->array || value->type != GgufType::text) return std::nullopt;
    std::vector<std::string_view> texts;
    Cursor cursor(value->bytes);
    for (std::uint64_t i = 0; i < value->count; ++i)
        texts.push_back(cursor.text());
    return texts;
}

std::optional<std::vector<double>> GgufMetadata::numbers(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr || !value->array) return std::nullopt;
    const std::size_t size = fixed_size(static_cast<std::uint32_t>(value->type)).value_or(0);
    if (size == 0) return std::nullopt;
    std::vector<double> numbers;
    for (std::uint64_t i = 0; i < value->count; ++i)
        numbers.push_back(number_at(value->type, value->bytes.subspan(static_cast<std::size_t>(i) * size)));
    return numbers;
}

Result<GgufHeader> parse_gguf_header(std::span<const std::byte> file, std::string_view file_name) {
    return HeaderParser(file, file_name).parse();
}

} // namespace vitrine::formats

#include "core/formats/stored_zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>

#include <fmt/format.h>

namespace vitrine::formats {

namespace {

// Signatures and sizes of the records in PKWARE's APPNOTE.TXT, section 4.3.
constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t entry_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator64_signature = 0x07064b50;
constexpr std::size_t local_bytes = 30;
constexpr std::size_t entry_bytes = 46;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t end64_bytes = 56;
constexpr std::size_t locator64_bytes = 20;
constexpr std::size_t longest_comment = 65535;
constexpr std::uint16_t extra64 = 1;
constexpr std::uint32_t in_extra64 = 0xFFFFFFFF;

using Bytes = std::span<const std::byte>;

/// A number at `at`; 0 beyond the end.
template <typename T>
T number(Bytes bytes, std::uint64_t at) {
    T value{};
    if (at <= bytes.size() && bytes.size() - at >= sizeof value)
        std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

/// `count` bytes at `at`, or nothing if they are not all there.
std::optional<Bytes> part(Bytes bytes, std::uint64_t at, std::uint64_t count) {
    if (at > bytes.size() || count > bytes.size() - at) return std::nullopt;
    return bytes.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
}

struct Directory {
    Bytes bytes;
    std::uint64_t entries = 0;
};

std::optional<Directory> find_directory(Bytes file) {
    if (file.size() < end_bytes) return std::nullopt;
    std::size_t at = file.size() - end_bytes;
    const std::size_t lowest = at > longest_comment ? at - longest_comment : 0;
    while (number<std::uint32_t>(file, at) != end_signature)
        if (at-- == lowest) return std::nullopt;
    std::uint64_t entries = number<std::uint16_t>(file, at + 10);
    std::uint64_t size = number<std::uint32_t>(file, at + 12);
    std::uint64_t offset = number<std::uint32_t>(file, at + 16);
    if (at >= locator64_bytes && number<std::uint32_t>(file, at - locator64_bytes) == locator64_signature) {
        const auto at64 = number<std::uint64_t>(file, at - locator64_bytes + 8);
        if (!part(file, at64, end64_bytes) || number<std::uint32_t>(file, at64) != end64_signature)
            return std::nullopt;
        entries = number<std::uint64_t>(file, at64 + 32);
        size = number<std::uint64_t>(file, at64 + 40);
        offset = number<std::uint64_t>(file, at64 + 48);
    }
    const auto bytes = part(file, offset, size);
    if (!bytes || entries > size / entry_bytes) return std::nullopt;
    return Directory{*bytes, entries};
}

/// The value of a field that may have moved into the zip64 extra field, whose values come in a fixed order.
std::uint64_t take_wide(std::uint32_t narrow, Bytes& extra) {
    if (narrow != in_extra64) return narrow;
    const auto wide = number<std::uint64_t>(extra, 0);
    extra = extra.subspan(std::min<std::size_t>(extra.size(), 8));
    return wide;
}

Bytes zip64_values(Bytes extra) {
    while (extra.size() >= 4) {
        const auto id = number<std::uint16_t>(extra, 0);
        const std::size_t size = std::min<std::size_t>(number<std::uint16_t>(extra, 2), extra.size() - 4);
        if (id == extra64) return extra.subspan(4, size);
        extra = extra.subspan(4 + size);
    }
    return {};
}

} // namespace

bool is_zip(Bytes file) { return number<std::uint32_t>(file, 0) == local_signature; }

Result<std::map<std::string, Bytes>> stored_zip_entries(Bytes file, std::string_view file_name) {
    const auto damaged = [&] {
        return fail(
            Code::malformed,
            fmt::format("{} is a zip with a damaged table of contents; download it again.", file_name));
    };
    const auto directory = find_directory(file);
    if (!directory) return damaged();
    std::map<std::string, Bytes> entries;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < directory->entries; ++i) {
        const auto entry = part(directory->bytes, at, entry_bytes);
        if (!entry || number<std::uint32_t>(*entry, 0) != entry_signature) return damaged();
        const auto flags = number<std::uint16_t>(*entry, 8);
        const auto method = number<std::uint16_t>(*entry, 10);
        const auto name_length = number<std::uint16_t>(*entry, 28);
        const auto extra_length = number<std::uint16_t>(*entry, 30);
        const auto comment_length = number<std::uint16_t>(*entry, 32);
        const auto name = part(directory->bytes, at + entry_bytes, name_length);
        const auto extra = part(directory->bytes, at + entry_bytes + name_length, extra_length);
        if (!name || !extra) return damaged();
        at += entry_bytes + name_length + extra_length + comment_length;
        Bytes wide = zip64_values(*extra);
        const std::uint64_t size = take_wide(number<std::uint32_t>(*entry, 24), wide);
        const std::uint64_t packed = take_wide(number<std::uint32_t>(*entry, 20), wide);
        const std::uint64_t local = take_wide(number<std::uint32_t>(*entry, 42), wide);
        std::string text(reinterpret_cast<const char*>(name->data()), name->size());
        constexpr std::uint16_t encrypted = 1;
        if (method != 0 || (flags & encrypted) != 0 || packed != size)
            return fail(
                Code::unsupported,
                fmt::format("{}: the entry {} is compressed or encrypted, which PyTorch never does; save "
                            "the model again with torch.save.",
                            file_name, text));
        if (!part(file, local, local_bytes) || number<std::uint32_t>(file, local) != local_signature)
            return damaged();
        // The local header has its own name and extra field: PyTorch aligns the data by padding the latter.
        const std::uint64_t skip =
            std::uint64_t{number<std::uint16_t>(file, local + 26)} + number<std::uint16_t>(file, local + 28);
        const auto data = part(file, local + local_bytes + skip, size);
        if (!data || !entries.emplace(std::move(text), *data).second) return damaged();
    }
    return entries;
}

} // namespace vitrine::formats

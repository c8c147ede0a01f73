#include "core/formats/npz.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <zip.h>

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".npy";

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Entry = std::unique_ptr<zip_file_t, Discard>;

std::string reason(int code) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
}

Status add_entry(zip_t* archive, const std::string& name, const std::string& bytes) {
    zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const zip_int64_t index =
        source == nullptr ? -1 : zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        if (source != nullptr) zip_source_free(source);
        return fail(Code::io, fmt::format("The array {} cannot be packed: {}.", name, zip_strerror(archive)));
    }
    const auto entry = static_cast<zip_uint64_t>(index);
    constexpr std::uint16_t midnight = 0;
    constexpr std::uint16_t first_day = 0x21; // 1980-01-01: equal arrays give equal files
    zip_set_file_compression(archive, entry, ZIP_CM_STORE, 0);
    zip_file_set_dostime(archive, entry, midnight, first_day, 0);
    return {};
}

} // namespace

Status write_npz(const fs::path& path, std::span<const NamedView> arrays) {
    int code = 0;
    Archive archive(zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code));
    if (!archive)
        return fail(Code::io, fmt::format("{} cannot be written: {}.", path.string(), reason(code)));
    std::vector<std::string> contents; // must live until the archive is closed
    contents.reserve(arrays.size());
    for (const auto& [name, view] : arrays) {
        VITRINE_ASSIGN(std::string bytes, npy_bytes(view));
        contents.push_back(std::move(bytes));
        VITRINE_TRY(add_entry(archive.get(), name + std::string(suffix), contents.back()));
    }
    if (zip_close(archive.get()) != 0)
        return fail(Code::io,
                    fmt::format("{} cannot be written: {}.", path.string(), zip_strerror(archive.get())));
    static_cast<void>(archive.release()); // zip_close has freed it
    return {};
}

Result<std::map<std::string, NpyArray>> read_npz(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        return fail(Code::not_found, fmt::format("There is no file {}.", path.string()));
    int code = 0;
    const Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!archive)
        return fail(Code::malformed, fmt::format("{} is not a .npz file: {}.", path.string(), reason(code)));
    std::map<std::string, NpyArray> arrays;
    const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
    for (zip_uint64_t i = 0; i < count; ++i) {
        zip_stat_t info;
        if (zip_stat_index(archive.get(), i, 0, &info) != 0 || (info.valid & ZIP_STAT_SIZE) == 0)
            return fail(Code::malformed, fmt::format("{} has a damaged table of contents.", path.string()));
        std::string name = info.name;
        // Read in pieces: the size in the table may be a lie.
        std::vector<std::byte> bytes;
        const Entry entry(zip_fopen_index(archive.get(), i, 0));
        std::vector<std::byte> piece(std::size_t{1} << 20);
        zip_int64_t got = entry ? 0 : -1;
        while (entry && (got = zip_fread(entry.get(), piece.data(), piece.size())) > 0)
            bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
        if (got < 0 || bytes.size() != info.size)
            return fail(Code::malformed, fmt::format("{}: the array {} is damaged.", path.string(), name));
        VITRINE_ASSIGN(NpyArray array, parse_npy(bytes, fmt::format("{} ({})", path.string(), name)));
        if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
        arrays[name] = std::move(array);
    }
    return arrays;
}

} // namespace vitrine::formats

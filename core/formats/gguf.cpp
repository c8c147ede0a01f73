#include "core/formats/gguf.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr int most_parts = 99999; // five digits

struct Part {
    std::string stem; ///< in front of "-00001-of-00003.gguf"
    std::string of;   ///< "-of-00003.gguf"
    bool first = false;
};

/// The pieces of a split model's file name, or nothing.
std::optional<Part> part_of(const std::string& name) {
    constexpr std::size_t length = std::string_view("-00001-of-00003.gguf").size();
    if (name.size() <= length) return std::nullopt;
    const std::string tail = name.substr(name.size() - length);
    const std::string_view pattern = "-#####-of-#####.gguf";
    for (std::size_t i = 0; i < length; ++i)
        if (pattern[i] == '#' ? tail[i] < '0' || tail[i] > '9' : tail[i] != pattern[i]) return std::nullopt;
    return Part{name.substr(0, name.size() - length), tail.substr(6), tail.substr(1, 5) == "00001"};
}

struct OpenPart {
    MappedFile file;
    GgufHeader header;
};

Result<OpenPart> open_part(const fs::path& path) {
    VITRINE_ASSIGN(MappedFile file, MappedFile::open(path));
    VITRINE_ASSIGN(GgufHeader header, parse_gguf_header(file.bytes(), path.string()));
    return OpenPart{std::move(file), std::move(header)};
}

/// All files of the model that `path` belongs to.
Result<std::vector<fs::path>> parts_of(const fs::path& path, const GgufHeader& header) {
    const auto count = header.metadata.integer("split.count").value_or(1);
    if (count <= 1) return std::vector<fs::path>{path};
    const auto part = part_of(path.filename().string());
    if (!part || count > most_parts || part->of != fmt::format("-of-{:05}.gguf", count))
        return fail(Code::malformed,
                    fmt::format("{} is a part of {} but is not named so (NAME-00001-of-{:05}.gguf); give the "
                                "files their own names back.",
                                path.string(), count, count));
    std::vector<fs::path> paths;
    for (std::int64_t i = 1; i <= count; ++i)
        paths.push_back(path.parent_path() / fmt::format("{}-{:05}{}", part->stem, i, part->of));
    return paths;
}

} // namespace

bool is_gguf(const fs::path& path) {
    char start[4] = {};
    std::ifstream(path, std::ios::binary).read(start, sizeof start);
    return std::string_view(start, sizeof start) == "GGUF";
}

Result<fs::path> find_gguf(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!name.ends_with(".gguf") || name.starts_with("mmproj")) continue;
        const auto part = part_of(name);
        if (!part || part->first) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    if (names.empty())
        return fail(Code::not_found, fmt::format("{} has no file in GGUF form.", folder.string()));
    if (names.size() > 1)
        return fail(Code::usage, fmt::format("{} holds several models in GGUF form; name one of {}.",
                                             folder.string(), fmt::join(names, ", ")));
    return folder / names.front();
}

Result<GgufModel> open_gguf(const fs::path& path) {
    VITRINE_ASSIGN(const OpenPart named, open_part(path));
    VITRINE_ASSIGN(const std::vector<fs::path> paths, parts_of(path, named.header));
    std::vector<MappedFile> files;
    std::vector<StoredTensor> tensors;
    GgufMetadata metadata;
    for (const fs::path& part_path : paths) {
        auto opened = open_part(part_path);
        if (!opened && opened.error().code == Code::not_found)
            return fail(Code::not_found, fmt::format("{} is one of {} files of which {} is missing.",
                                                     path.string(), paths.size(), part_path.string()));
        VITRINE_ASSIGN(OpenPart part, std::move(opened));
        for (HeaderTensor& tensor : part.header.tensors)
            tensors.push_back(
                {std::move(tensor.name),
                 {part.file.bytes().data() + tensor.begin, tensor.dtype, std::move(tensor.shape)},
                 files.size(),
                 {}});
        if (files.empty()) metadata = std::move(part.header.metadata);
        files.push_back(std::move(part.file));
    }
    TensorFiles all("gguf", std::move(files), std::move(tensors));
    const auto twice =
        std::adjacent_find(all.tensors().begin(), all.tensors().end(),
                           [](const StoredTensor& a, const StoredTensor& b) { return a.name == b.name; });
    if (twice != all.tensors().end())
        return fail(Code::malformed,
                    fmt::format("{}: two of its files have the tensor \"{}\".", path.string(), twice->name));
    return GgufModel{std::move(all), std::move(metadata)};
}

} // namespace vitrine::formats

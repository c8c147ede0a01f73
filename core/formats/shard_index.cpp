#include "core/formats/shard_index.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/formats/large_json.h"

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

/// A shard is named relative to its folder and may not lead out of it by name; symbolic links may (caches of
/// downloaded models consist of them).
bool stays_inside(const fs::path& name) {
    if (name.empty() || name.is_absolute()) return false;
    return std::none_of(name.begin(), name.end(), [](const fs::path& part) { return part == ".."; });
}

/// Shard file name → names of the tensors that the index expects in it.
Result<std::map<std::string, std::vector<std::string>>> read_index(const fs::path& path) {
    VITRINE_ASSIGN(const std::string text, read_text(path));
    VITRINE_ASSIGN(const LargeJson index, parse_large_json(text, path.string()));
    const auto map = index.is_object() ? index.find("weight_map") : index.end();
    if (map == index.end() || !map->is_object() || map->empty())
        return fail(Code::malformed, fmt::format("{} has no \"weight_map\" of tensor names.", path.string()));
    std::map<std::string, std::vector<std::string>> shards;
    for (const auto& [tensor, file] : map->items()) {
        if (!file.is_string())
            return fail(Code::malformed,
                        fmt::format("{} gives no file name for tensor \"{}\".", path.string(), tensor));
        shards[file.get_ref<const std::string&>()].push_back(tensor);
    }
    for (const auto& [file, names] : shards)
        if (!stays_inside(file) || file.find('\0') != std::string::npos)
            return fail(Code::malformed,
                        fmt::format("{} names the shard \"{}\", which lies outside the model's folder.",
                                    path.string(), file));
    return shards;
}

} // namespace

Result<TensorFiles> open_shards(const fs::path& index, const std::string& format,
                                const std::function<Result<Shard>(const fs::path&)>& open_shard) {
    const fs::path folder = index.parent_path();
    const std::string index_name = index.filename().string();
    VITRINE_ASSIGN(const auto shards, read_index(index));
    std::vector<MappedFile> files;
    std::vector<StoredTensor> tensors;
    for (const auto& [file, names] : shards) {
        auto opened = open_shard(folder / file);
        if (!opened && opened.error().code == Code::not_found)
            return fail(Code::not_found, fmt::format("The shard {} named by {} is missing from {}.", file,
                                                     index_name, folder.string()));
        VITRINE_ASSIGN(Shard shard, std::move(opened));
        std::map<std::string_view, const StoredTensor*> by_name;
        for (const auto& tensor : shard.tensors)
            by_name.emplace(tensor.name, &tensor);
        for (const auto& name : names) {
            const auto found = by_name.find(name);
            if (found == by_name.end())
                return fail(Code::malformed, fmt::format("{} has no tensor \"{}\", though {} says so.",
                                                         (folder / file).string(), name, index_name));
            tensors.push_back(*found->second);
            tensors.back().file = files.size();
        }
        files.push_back(std::move(shard.file));
    }
    return TensorFiles(format, std::move(files), std::move(tensors));
}

} // namespace vitrine::formats

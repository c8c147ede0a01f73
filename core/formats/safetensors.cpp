#include "core/formats/safetensors.h"

#include <algorithm>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include "core/formats/large_json.h"
#include "core/formats/safetensors_header.h"

namespace vitrine::formats {

namespace {

namespace fs = std::filesystem;

constexpr const char* single_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";

struct Shard {
    MappedFile file;
    std::vector<HeaderTensor> tensors;
};

Result<Shard> open_shard(const fs::path& path) {
    VITRINE_ASSIGN(MappedFile file, MappedFile::open(path));
    VITRINE_ASSIGN(auto tensors, parse_safetensors_header(file.bytes(), path.string()));
    return Shard{std::move(file), std::move(tensors)};
}

StoredTensor stored(const MappedFile& file, const HeaderTensor& tensor, std::size_t file_index) {
    return {tensor.name, {file.bytes().data() + tensor.begin, tensor.dtype, tensor.shape}, file_index};
}

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

Result<TensorFiles> TensorFiles::open(const fs::path& path) {
    TensorFiles result;
    std::error_code ignored;
    const auto add_whole_file = [&](const fs::path& file) -> Status {
        VITRINE_ASSIGN(Shard shard, open_shard(file));
        for (const auto& tensor : shard.tensors)
            result.tensors_.push_back(stored(shard.file, tensor, 0));
        result.files_.push_back(std::move(shard.file));
        return {};
    };

    if (!fs::is_directory(path, ignored)) {
        VITRINE_TRY(add_whole_file(path));
    } else if (fs::exists(path / single_name, ignored)) {
        VITRINE_TRY(add_whole_file(path / single_name));
    } else if (fs::exists(path / index_name, ignored)) {
        VITRINE_ASSIGN(const auto index, read_index(path / index_name));
        for (const auto& [file, names] : index) {
            auto opened = open_shard(path / file);
            if (!opened && opened.error().code == Code::not_found)
                return fail(Code::not_found, fmt::format("The shard {} named by {} is missing from {}.", file,
                                                         index_name, path.string()));
            VITRINE_ASSIGN(Shard shard, std::move(opened));
            std::map<std::string_view, const HeaderTensor*> by_name;
            for (const auto& tensor : shard.tensors)
                by_name.emplace(tensor.name, &tensor);
            for (const auto& name : names) {
                const auto found = by_name.find(name);
                if (found == by_name.end())
                    return fail(Code::malformed, fmt::format("{} has no tensor \"{}\", though {} says so.",
                                                             (path / file).string(), name, index_name));
                result.tensors_.push_back(stored(shard.file, *found->second, result.files_.size()));
            }
            result.files_.push_back(std::move(shard.file));
        }
    } else {
        return fail(Code::not_found,
                    fmt::format("{} has neither {} nor {}.", path.string(), single_name, index_name));
    }
    std::sort(result.tensors_.begin(), result.tensors_.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return result;
}

const StoredTensor* TensorFiles::find(std::string_view name) const {
    const auto found = std::lower_bound(
        tensors_.begin(), tensors_.end(), name,
        [](const StoredTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
    return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

void TensorFiles::drop(const TensorView& view) const {
    // Which file a page belongs to does not matter to the system.
    if (!files_.empty()) files_.front().drop({view.data, view.bytes()});
}

} // namespace vitrine::formats

#include "core/store/activation_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/store/hdf5_guard.h"
#include "core/store/hdf5_types.h"

namespace vitrine::store {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> signature = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};

/// Whether the file can be read and starts as HDF5 does.
Status check_file(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        return fail(Code::not_found, fmt::format("There is no file {}.", path.string()));
    if (fs::is_directory(path, ignored))
        return fail(Code::io, fmt::format("{} is a folder, not an HDF5 file.", path.string()));
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail(Code::io, fmt::format("Cannot read {}: {}.", path.string(), std::strerror(errno)));
    std::array<char, signature.size()> start{};
    file.read(start.data(), start.size());
    if (start != signature)
        return fail(Code::malformed, fmt::format("{} is not an HDF5 file.", path.string()));
    return {};
}

/// Collects the names of data sets. H5Ovisit meets each object once and follows no link out of the file.
herr_t collect_name(hid_t, const char* name, const H5O_info_t* info, void* names) {
    if (info->type == H5O_TYPE_DATASET)
        static_cast<std::vector<std::string>*>(names)->push_back("/" + std::string(name));
    return 0;
}

/// A data set whose elements lie in the file itself; deflate packs at most 1032 to 1, so one that claims more
/// than its file can hold is a lie and not worth the memory.
Status check_storage(const H5::DataSet& set, const std::string& name, std::uintmax_t file_size) {
    const H5::DSetCreatPropList properties = set.getCreatePlist();
    if (properties.getLayout() == H5D_VIRTUAL || properties.getExternalCount() > 0)
        return fail(Code::unsupported,
                    fmt::format("{} keeps its elements in other files: copy them into one.", name));
    long double bytes = static_cast<long double>(set.getDataType().getSize());
    for (const std::int64_t axis : shape_of(set.getSpace()))
        bytes *= static_cast<long double>(axis);
    const auto stored = static_cast<long double>(set.getStorageSize());
    // A contiguous set without storage was never written and reads as zeros.
    const H5D_layout_t layout = properties.getLayout();
    const bool cut = stored < bytes && (layout == H5D_COMPACT || (layout == H5D_CONTIGUOUS && stored > 0));
    if (cut || bytes > 1032.0L * static_cast<long double>(file_size))
        return fail(Code::malformed, fmt::format("{} claims more elements than its file holds.", name));
    return {};
}

struct Block {
    Shape start;
    Shape count;
};

} // namespace

struct ActivationReader::File {
    fs::path path;
    std::uintmax_t size = 0;
    H5::H5File hdf5;
    std::vector<DatasetInfo> datasets;

    std::string action(std::string_view name) const {
        return fmt::format("Cannot read {} of {}", name, path.string());
    }

    Result<const DatasetInfo*> find(std::string_view name) const {
        const auto found = std::find_if(datasets.begin(), datasets.end(),
                                        [&](const DatasetInfo& info) { return info.name == name; });
        if (found == datasets.end())
            return fail(Code::not_found, fmt::format("{} holds no data set {}.", path.string(), name));
        return &*found;
    }

    void list() {
        const H5::Group root = hdf5.openGroup("/");
        std::vector<std::string> names;
        if (H5Ovisit2(root.getId(), H5_INDEX_NAME, H5_ITER_INC, collect_name, &names, H5O_INFO_BASIC) < 0)
            throw H5::FileIException("H5Ovisit", "the list of data sets cannot be read");
        for (const std::string& name : names) {
            const H5::DataSet set = hdf5.openDataSet(name);
            datasets.push_back({name, shape_of(set.getSpace()), element_type(set.getDataType())});
        }
    }

    /// Hands `body` the data set and the two selections of a block of it, or of all of it.
    template <typename Body>
    auto with_block(const DatasetInfo& info, const Block* block, const Body& body) const {
        return guarded(Code::malformed, action(info.name), [&] {
            const H5::DataSet set = hdf5.openDataSet(info.name);
            H5::DataSpace source = set.getSpace();
            H5::DataSpace target = source;
            if (block != nullptr && !block->start.empty()) {
                const std::vector<hsize_t> start(block->start.begin(), block->start.end());
                const std::vector<hsize_t> count(block->count.begin(), block->count.end());
                source.selectHyperslab(H5S_SELECT_SET, count.data(), start.data());
                target = space_of(block->count);
            }
            return body(set, target, source);
        });
    }

    Result<std::vector<std::byte>> raw(const DatasetInfo& info, const Block* block) const {
        using Bytes = Result<std::vector<std::byte>>;
        return with_block(info, block, [&](const auto& set, const auto& target, const auto& source) -> Bytes {
            VITRINE_TRY(check_storage(set, info.name, size));
            const H5::DataType type = set.getDataType();
            if (type.detectClass(H5T_VLEN) || H5Tis_variable_str(type.getId()) > 0)
                return fail(Code::unsupported, fmt::format("{} has elements of no fixed size.", info.name));
            std::vector<std::byte> bytes(static_cast<std::size_t>(target.getSimpleExtentNpoints()) *
                                         type.getSize());
            if (!bytes.empty()) set.read(bytes.data(), type, target, source);
            return bytes;
        });
    }

    /// HDF5 converts halves bit by bit, ours is a hundred times faster; all other numbers it converts well.
    Result<Tensor> elements(std::string_view name, const Block* block) const {
        VITRINE_ASSIGN(const DatasetInfo* info, find(name));
        if (block != nullptr) VITRINE_TRY(check_block(*info, *block));
        const Shape& shape = block != nullptr ? block->count : info->shape;
        if (info->dtype == DType::f16) {
            VITRINE_ASSIGN(const std::vector<std::byte> halves, raw(*info, block));
            Tensor tensor(shape);
            widen(DType::f16, halves.data(), tensor.data);
            return tensor;
        }
        return with_block(
            *info, block, [&](const auto& set, const auto& target, const auto& source) -> Result<Tensor> {
                if (set.getTypeClass() != H5T_FLOAT && set.getTypeClass() != H5T_INTEGER)
                    return fail(Code::unsupported,
                                fmt::format("{} of {} is not an array of numbers.", name, path.string()));
                VITRINE_TRY(check_storage(set, info->name, size));
                Tensor tensor(shape);
                if (!tensor.data.empty())
                    set.read(tensor.data.data(), H5::PredType::NATIVE_FLOAT, target, source);
                return tensor;
            });
    }

    static Status check_block(const DatasetInfo& info, const Block& block) {
        const auto& [start, count] = block;
        bool inside = start.size() == info.shape.size() && count.size() == info.shape.size();
        for (std::size_t axis = 0; inside && axis < start.size(); ++axis)
            inside = start[axis] >= 0 && count[axis] > 0 && start[axis] <= info.shape[axis] &&
                     count[axis] <= info.shape[axis] - start[axis];
        if (!inside)
            return fail(Code::out_of_range, fmt::format("The block asked for leaves {}.", info.name));
        return {};
    }
};

ActivationReader::ActivationReader(std::unique_ptr<File> file) : file_(std::move(file)) {}
ActivationReader::ActivationReader(ActivationReader&&) noexcept = default;
ActivationReader& ActivationReader::operator=(ActivationReader&&) noexcept = default;
ActivationReader::~ActivationReader() = default;

Result<ActivationReader> ActivationReader::open(const fs::path& path) {
    VITRINE_TRY(check_file(path));
    auto file = std::make_unique<File>();
    file->path = path;
    std::error_code ignored;
    file->size = fs::file_size(path, ignored);
    const std::string what =
        fmt::format("{} is damaged or was never completed, so it cannot be read", path.string());
    VITRINE_TRY(guarded(Code::malformed, what, [&]() -> Status {
        file->hdf5.openFile(path.string(), H5F_ACC_RDONLY);
        file->list();
        return {};
    }));
    return ActivationReader(std::move(file));
}

Result<FileHeader> ActivationReader::header() const {
    return guarded(Code::malformed, file_->action("the attributes"), [&]() -> Result<FileHeader> {
        const H5::Group root = file_->hdf5.openGroup("/");
        const auto text = [&](const char* name) { return text_attribute(root, name); };
        return FileHeader{text("model"),   text("weights_hash"),
                          text("spec"),    text("spec_hash"),
                          text("device"),  text("precision"),
                          text("version"), root.attrExists("coordinates") ? text("coordinates") : "raw"};
    });
}

const std::vector<DatasetInfo>& ActivationReader::datasets() const { return file_->datasets; }

Result<DatasetInfo> ActivationReader::dataset(std::string_view name) const {
    VITRINE_ASSIGN(const DatasetInfo* info, file_->find(name));
    return *info;
}

Result<DatasetLabels> ActivationReader::labels(std::string_view name) const {
    VITRINE_ASSIGN(const DatasetInfo* info, file_->find(name));
    return guarded(Code::malformed, file_->action(name), [&]() -> Result<DatasetLabels> {
        const H5::DataSet set = file_->hdf5.openDataSet(info->name);
        return DatasetLabels{texts_attribute(set, "axes"), text_attribute(set, "hook")};
    });
}

Result<Tensor> ActivationReader::read(std::string_view name) const { return file_->elements(name, nullptr); }

Result<Tensor> ActivationReader::read_part(std::string_view name, const Shape& start,
                                           const Shape& count) const {
    const Block block{start, count};
    return file_->elements(name, &block);
}

Result<std::string> ActivationReader::read_text(std::string_view name) const {
    VITRINE_ASSIGN(const DatasetInfo* info, file_->find(name));
    return guarded(Code::malformed, file_->action(name), [&]() -> Result<std::string> {
        const H5::DataSet set = file_->hdf5.openDataSet(info->name);
        if (set.getTypeClass() != H5T_STRING || set.getSpace().getSimpleExtentNpoints() != 1)
            return fail(Code::unsupported,
                        fmt::format("{} of {} is not a text.", name, file_->path.string()));
        VITRINE_TRY(check_storage(set, info->name, file_->size));
        std::string text;
        set.read(text, set.getStrType());
        while (!text.empty() && text.back() == '\0')
            text.pop_back();
        return text;
    });
}

Result<std::string> ActivationReader::hash(std::string_view name) const {
    VITRINE_ASSIGN(const DatasetInfo* info, file_->find(name));
    VITRINE_ASSIGN(const std::vector<std::byte> bytes, file_->raw(*info, nullptr));
    Sha256 sum;
    sum.add(bytes);
    return sum.finish();
}

} // namespace vitrine::store

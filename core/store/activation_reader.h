#pragma once
// Reading activation files: our own, and any HDF5 file of plain arrays.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/store/activation_writer.h"

namespace vitrine::store {

/// A data set as a file lists it.
struct DatasetInfo {
    std::string name; ///< "/row0/blocks.3.attn.hook_pattern"
    Shape shape;
    std::optional<DType> dtype; ///< none for texts, compounds and numbers of another byte order
};

/// The attributes of a data set; empty where it has none.
struct DatasetLabels {
    std::vector<std::string> axes;
    std::string hook;
};

/// An open file. As with ActivationWriter, one thread of the program at a time.
/// Labels are read when asked for: what flipped bits in a file can crash inside HDF5 1.10 is the heap in
/// which it keeps texts of variable length, and numbers are read without it.
class ActivationReader {
public:
    /// not_found if there is no such file; malformed if it is not HDF5, or incomplete or damaged.
    static Result<ActivationReader> open(const std::filesystem::path& file);
    ActivationReader(ActivationReader&&) noexcept;
    ActivationReader& operator=(ActivationReader&&) noexcept;
    ~ActivationReader();

    /// Attributes of the file; those that it lacks are empty.
    Result<FileHeader> header() const;

    /// Every data set, by name.
    const std::vector<DatasetInfo>& datasets() const;
    Result<DatasetInfo> dataset(std::string_view name) const;
    Result<DatasetLabels> labels(std::string_view name) const;

    /// All elements as float32. not_found, unsupported (texts, compounds), malformed, out_of_memory.
    Result<Tensor> read(std::string_view name) const;

    /// The block of `count` elements an axis that starts at `start`; out_of_range if it leaves the data set.
    Result<Tensor> read_part(std::string_view name, const Shape& start, const Shape& count) const;

    Result<std::string> read_text(std::string_view name) const;

    /// SHA-256 of the raw bytes of a data set or text as stored: what Artifact::hash holds.
    Result<std::string> hash(std::string_view name) const;

private:
    struct File;
    explicit ActivationReader(std::unique_ptr<File> file);
    std::unique_ptr<File> file_;
};

} // namespace vitrine::store

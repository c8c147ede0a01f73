#pragma once
// Inside core/store only: the file below an HDF5 file that is being written.
#include <filesystem>

#include <H5Cpp.h>

#include "core/base/result.h"

namespace vitrine::store {

/// HDF5 1.10 cannot close a file whose last pages the disk refused: it keeps it open and loops over it when
/// the program ends. So HDF5 writes through a driver of ours that notes the first refusal, drops everything
/// after it and reports success; who writes asks status() after each step.
class OutputFile {
public:
    /// Creates or empties a file; error sentences name it `shown_as`. io if it cannot be created.
    static Result<OutputFile> create(const std::filesystem::path& path,
                                     const std::filesystem::path& shown_as);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&& other) = delete;
    ~OutputFile();

    /// To open an H5::H5File on this file, which must stay where it is until that is closed.
    H5::FileAccPropList access();

    /// The first write that failed, with the system's reason.
    Status status() const;

    /// What the driver knows of the file.
    struct Sink {
        int descriptor = -1;
        int error = 0; ///< errno of the first write that failed
    };

private:
    OutputFile(std::filesystem::path shown_as, int descriptor)
        : shown_as_(std::move(shown_as)), sink_{descriptor, 0} {}

    std::filesystem::path shown_as_;
    Sink sink_;
};

} // namespace vitrine::store

#pragma once
// Captured values go into one HDF5 file a run, which any HDF5 program opens (layout: one group a batch row).
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/tensor.h"
#include "core/store/artifact.h"

namespace vitrine::store {

/// Where the values of a file come from: its attributes.
struct FileHeader {
    std::string model;
    std::string weights_hash;
    std::string spec;      ///< JSON
    std::string spec_hash; ///< hash of canonical_json(spec)
    std::string device;
    std::string precision;           ///< "exact" or "mixed"
    std::string version;             ///< of the program
    std::string coordinates = "raw"; ///< or "folded"
};

/// Writes a file under a temporary name and gives it its own name when it is complete. A writer that is
/// destroyed before finish() leaves nothing behind. HDF5's C++ interface is not thread-safe: at any time one
/// thread of the program may be inside this folder's functions, and it may be any thread.
class ActivationWriter {
public:
    /// `stored` is what float32 activations are kept as: f32 or f16. io if the folder is missing or cannot be
    /// written.
    static Result<ActivationWriter> create(const std::filesystem::path& file, const FileHeader& header,
                                           DType stored = DType::f32);
    ActivationWriter(ActivationWriter&&) noexcept;
    ActivationWriter& operator=(ActivationWriter&&) noexcept;
    ~ActivationWriter();

    /// The value at a hook point for one batch row, as `/row{row}/{hook}` with attributes `axes` and `hook`.
    /// One name an axis, such as {"head", "query", "key"}; the batch axis is not among them.
    /// out_of_range if a finite value does not fit float16; io if the disk is full.
    Status add(int row, std::string_view hook, const std::vector<std::string>& axes,
               const TensorView& values);

    /// The same of one step of a generation, as `/row{row}/step{step}/{hook}`.
    Status add_step(int row, int step, std::string_view hook, const std::vector<std::string>& axes,
                    const TensorView& values);

    /// The token ids of one batch row, `/row{row}/tokens`.
    Status add_tokens(int row, std::span<const std::int32_t> ids);

    /// Any other array under a path of its own ("/results/entropy"); types other than float32 are kept as
    /// they are.
    Status add_array(std::string_view path, const std::vector<std::string>& axes, const TensorView& values);

    /// A UTF-8 text (a JSON document) as a scalar string.
    Status add_text(std::string_view path, std::string_view text);

    /// Closes the file, flushes it to the disk and publishes it. Says what it holds, in the order of adding.
    Result<std::vector<Artifact>> finish();

    /// Closes and removes the temporary file.
    void abandon();

private:
    struct File;
    explicit ActivationWriter(std::unique_ptr<File> file);
    std::unique_ptr<File> file_;
};

} // namespace vitrine::store

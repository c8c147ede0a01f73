#pragma once
#include <filesystem>

#include "core/base/result.h"
#include "core/formats/gguf_header.h"
#include "core/formats/tensor_files.h"

namespace vitrine::formats {

/// A model in GGUF form, mapped: one file, or all files of a split one.
struct GgufModel {
    TensorFiles files; ///< under the names and in the element types of the file
    GgufMetadata metadata;
};

/// Whether this is a file that begins as GGUF files do.
bool is_gguf(const std::filesystem::path& path);

/// The model that a folder holds in GGUF form: its only .gguf file, or the first file of its only split
/// model. Files named mmproj… (of image encoders) do not count. not_found if there is none; usage if there
/// are several, naming them.
Result<std::filesystem::path> find_gguf(const std::filesystem::path& folder);

/// A GGUF file; the others of a split model (NAME-00001-of-00003.gguf) are opened with it, whichever is
/// named. Errors: as parse_gguf_header; not_found for a missing part.
Result<GgufModel> open_gguf(const std::filesystem::path& path);

} // namespace vitrine::formats

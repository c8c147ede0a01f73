#pragma once
// A model in GGUF form, told in the terms of the family's config.json and tensor names, so that the family's
// own file stays the only place that knows it.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/formats/gguf.h"
#include "core/model/gguf_architectures.h"

namespace vitrine::model {

/// Tensors under the family's names, in its coordinates. What the file keeps in another order of rows is
/// copied (blocks as they are); everything else points into the mapped file.
struct GgufTranslation {
    Json config; ///< as config.json would have it
    formats::TensorFiles tensors{"gguf", {}, {}};
    std::shared_ptr<const void> copies;             ///< the reordered tensors, owned
    const GgufArchitecture* architecture = nullptr; ///< lives as long as the program
};

/// A model in GGUF form in its family's terms. unsupported, by name, for an architecture that has no entry in
/// gguf_architectures.cpp and for tensors that it does not have; malformed for metadata without what the
/// architecture needs.
Result<GgufTranslation> translate_gguf(const formats::GgufModel& model, const std::string& path);

/// Whether a path is opened as GGUF: such a file, or a folder with one and without config.json.
Result<std::filesystem::path> gguf_at(const std::filesystem::path& path);

} // namespace vitrine::model

#pragma once
// A session as one file to hand on, and tidying up.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"

namespace vitrine::session {

/// A file of a bundle; also what clean_session() removed.
struct BundleFile {
    std::string name; ///< "session.sqlite", "activations/step-000012.h5"
    std::int64_t bytes = 0;
    std::string hash; ///< SHA-256
};

/// Packs the journal, as it is at this moment, and every file it names into a zip with a manifest of hashes.
/// The session may be open for writing elsewhere. `zip` is replaced when the new one is complete.
Result<std::vector<BundleFile>> export_session(const std::filesystem::path& folder,
                                               const std::filesystem::path& zip, const CancelToken& cancel,
                                               const Progress& progress);

/// Unpacks a bundle into a new folder. Every file is checked against the manifest, and names that could lead
/// out of the folder are refused: malformed. A failure leaves no folder.
Result<std::vector<BundleFile>> import_session(const std::filesystem::path& zip,
                                               const std::filesystem::path& folder, const CancelToken& cancel,
                                               const Progress& progress);

struct Cleaned {
    std::vector<BundleFile> removed; ///< activation files that no step names, without hashes
    std::int64_t freed = 0;          ///< bytes, those of the journal's unused pages included
};

/// Removes what nothing refers to. Needs write access; loses nothing that a step recorded.
Result<Cleaned> clean_session(const std::filesystem::path& folder);

} // namespace vitrine::session

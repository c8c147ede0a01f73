#pragma once
// Where an exported picture comes from, read back out of it.
#include <filesystem>

#include "core/base/json.h"
#include "core/base/result.h"

namespace vitrine::figure {

/// The provenance that export_figure() wrote into an SVG, PDF or PNG. Errors: usage (another suffix), io, and
/// unsupported where the picture carries none: it was not made by this program, or another removed it.
Result<Json> read_provenance(const std::filesystem::path& file);

} // namespace vitrine::figure

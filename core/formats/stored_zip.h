#pragma once
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace vitrine::formats {

/// Entries of a zip by name, where they lie in the file: for archives whose entries are stored as they are,
/// so that a mapped one needs no copy (libzip gives copies only). Directory and local headers are checked
/// against the file; zip64 is read. Errors: malformed; unsupported for compressed or encrypted entries.
Result<std::map<std::string, std::span<const std::byte>>> stored_zip_entries(std::span<const std::byte> file,
                                                                             std::string_view file_name);

/// Whether the file begins as a zip does.
bool is_zip(std::span<const std::byte> file);

} // namespace vitrine::formats

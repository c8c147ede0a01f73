#pragma once
// What a finished file holds, as the journal lists it.
#include <cstdint>
#include <string>

#include "core/base/tensor.h"

namespace vitrine::store {

/// One stored array or text.
struct Artifact {
    std::string kind;       ///< "activation", "tokens", "array" or "text"
    std::string file;       ///< path of the file; in a session relative to its folder
    std::string dataset;    ///< "/row0/blocks.3.attn.hook_pattern"
    std::string dtype;      ///< numpy's name, "utf8" for a text
    Shape shape;            ///< empty for a text
    std::string hash;       ///< SHA-256 of the raw bytes as stored (little-endian)
    std::int64_t bytes = 0; ///< number of raw bytes
};

} // namespace vitrine::store

#pragma once
#include <string>

namespace vitrine::model {

/// What a value or a weight is expressed in: as the model's file has it, or as its folded form has it
/// (folding.h).
enum class Coordinates { raw, folded };
inline std::string name_of(Coordinates c) { return c == Coordinates::raw ? "raw" : "folded"; }

} // namespace vitrine::model

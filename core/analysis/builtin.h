#pragma once
// The list of built-in analyses: the same table that a plugin exports.
#include "core/sdk/abi.h"

namespace vitrine::analysis {

const vitrine_plugin& builtin();

} // namespace vitrine::analysis

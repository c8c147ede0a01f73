#pragma once
#include <string>

#include "core/run/run_spec.h"

namespace vitrine::run {

/// An edit in the words of `--edit`: parse_edit() of it gives the same edit back (the tensors that it read
/// from a file aside). A head's hook_z is written short, "L3H5".
std::string to_text(const EditSpec& edit);

} // namespace vitrine::run

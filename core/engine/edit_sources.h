#pragma once
#include <vector>

#include "core/engine/engine.h"

namespace vitrine::engine {

/// Reads what edits name behind '@' and puts it into them: a .npy array (add, set, project-out, cap), a row
/// of an activation file `F.h5:row` (from), a file of prompts (mean), encoded with `specials`. `source`
/// becomes an absolute path, so that a session can be replayed from anywhere. Errors: not_found, malformed,
/// unsupported, those of the hooks' names.
Status read_edit_sources(const OpenModel& model, tokenizer::Specials specials,
                         std::vector<run::EditSpec>& edits);

} // namespace vitrine::engine

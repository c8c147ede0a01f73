#pragma once
#include "core/engine/engine.h"

namespace vitrine::engine {

/// Reads the files that parameters of type `rows` name (@FILE): each becomes a list of rows as analyses get
/// them, texts encoded as the tokenizer itself does, so that the journal holds the rows and replays without
/// the file. Errors: those of read_prompts and encode_row; malformed for a file without prompts;
/// out_of_range for rows that the model cannot run.
Status read_parameter_rows(const OpenModel& model, const Json& manifest, Json& parameters);

} // namespace vitrine::engine

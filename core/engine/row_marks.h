#pragma once
// Answer, distractor and position of rows, from the fields of their lines to what analyses are told.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/prompts.h"
#include "core/model/spec.h"
#include "core/run/run_spec.h"
#include "core/tokenizer/tokenizer.h"

namespace vitrine::engine {

/// Which fields an analysis takes: those of a name that it has a parameter of. A row whose field cannot be
/// read is refused for these, and goes without it otherwise.
struct WantedMarks {
    bool answer = false, distractor = false, position = false;
};
WantedMarks wanted_marks(const Json& manifest);

/// The one token that `text` is behind `prompt`: what the two together are cut into beyond the prompt's own
/// tokens; where the prompt is none, or both together are cut differently, the text by itself. Nothing if
/// that is not exactly one.
std::optional<std::int32_t> token_after(const tokenizer::Tokenizer& tokenizer, std::string_view prompt,
                                        std::string_view text);

/// "answer" and "distractor" (a text that is exactly one token, an id, or a list of these) and "position" of
/// a line. Texts of a corrupted row are those of its clean one. `tokenizer` may be absent: then only ids are
/// taken. malformed: a wanted field that cannot be read, with file, line and what a text was cut into.
Result<run::RowMarks> read_marks(const tokenizer::Tokenizer* tokenizer, const PromptLine& line,
                                 const WantedMarks& wanted);

/// out_of_range: an answer or a distractor that is no token of the model, or a position outside its row.
Status check_marks(const model::ModelSpec& model, const std::vector<run::RunRow>& rows);

/// What a model reads in a line: its ids, and its marks where `wanted` is given. Errors: unsupported (a text
/// without a tokenizer), those of encode and read_marks.
struct OpenModel;
Result<run::RunRow> row_of_line(const OpenModel& model, const PromptLine& line, tokenizer::Specials specials,
                                const WantedMarks* wanted = nullptr);

} // namespace vitrine::engine

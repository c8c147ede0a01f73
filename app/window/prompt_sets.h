#pragma once
// Files of prompts that something is measured on in place of the text above.
#include "app/window/bench.h"
#include "views/analyses/prompt_set_box.h"

namespace vitrine::window {

/// Those that come with the program (resources/prompts); the first line of each says what it is.
std::vector<views::PromptSet> shipped_prompt_sets();

/// Its prompts as a model reads them. malformed, not_found: as read_prompts; also where there is none in it.
Result<std::vector<run::RunRow>> rows_of_file(const engine::OpenModel& model, const std::string& file,
                                              tokenizer::Specials specials);

/// A result over a set says which one: in its note and in its provenance.
void name_prompts(engine::AnalysisRecord& record, const std::string& file, std::size_t rows);

/// Whether an analysis gives one result over all rows, so that a set of prompts makes sense for it.
bool averages_over_rows(const QString& analysis);

} // namespace vitrine::window

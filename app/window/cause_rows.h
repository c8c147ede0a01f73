#pragma once
// What the page Cause measures, from its panel to rows and command lines.
#include "app/window/analysis_page.h"
#include "views/cause/pair_table.h"

namespace vitrine::window {

/// The shipped task sets that a model may be tried on: its own ones first. Empty where none can be read.
std::vector<views::Behaviour> behaviours_for(const engine::OpenModel& model);

/// Whether a set's name is that of a file of the user's.
bool is_own_set(const QString& name);
/// The pairs of a file, whether they fit a model or not. Errors: those of reading it.
Result<std::vector<views::Pair>> pairs_of_file(const std::string& file);
/// What a table of pairs knows of files and of a model.
views::PairTable::Outside outside_of(const std::shared_ptr<const engine::OpenModel>& model);

/// The pairs of a set, shipped or a file, that fit a model's tokenizer, and how many do not.
struct FittingPairs {
    std::vector<views::Pair> pairs;
    int left_out = 0;
};
/// Errors: those of reading the set; malformed where none fits.
Result<FittingPairs> pairs_of(const engine::OpenModel& model, const std::string& set);

/// A token as a field of the panel takes it: its text, or "#id" where that text alone is not this token.
QString field_of_token(const engine::OpenModel& model, std::int32_t id);

/// A pair as a line of a task file; without a corrupted prompt, as one prompt.
Json line_of(const views::Pair& pair);

/// The rows of one pair, with its answer and distractor. Errors: a sentence about what does not fit.
Result<std::vector<run::RunRow>> rows_of_pair(const engine::OpenModel& model, const views::Pair& pair,
                                              tokenizer::Specials specials);

/// Rows of the pair, or of every fitting pair of `set` where that is not empty.
RowsSource source_of(const views::Pair& pair, const QString& set);

} // namespace vitrine::window

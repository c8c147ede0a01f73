#pragma once
// Sets of task rows that come with the program, and which of them a tokenizer can take.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/engine/prompts.h"
#include "core/tokenizer/tokenizer.h"

namespace vitrine::engine {

/// One set, as sets.json lists it.
struct TaskSet {
    std::string name, title, about, citation;
    std::string models; ///< whom it is for: "English", "code", …
    std::string licence;
    std::uint64_t seed = 0; ///< of its generator
    int rows = 0;           ///< pairs of a clean and a corrupted prompt
    std::filesystem::path file;
};

/// Those that come with the program, in the order of sets.json: datasets/sets beside the folder of resources,
/// or in it. Errors: not_found; malformed.
Result<std::vector<TaskSet>> task_sets();
/// not_found with the names there are.
Result<TaskSet> find_task_set(std::string_view name);

/// "ioi" of "task:ioi"; nothing of another text.
std::optional<std::string> task_name(std::string_view source);

/// Why a row cannot be measured with a tokenizer.
struct TaskMisfit {
    std::string kind;   ///< "not a pair", "length", "answer", "distractor" or "same": for counting
    std::string reason; ///< one sentence
};
/// `fields` of a row: clean and corrupted must be of one length in tokens and not empty, every text of answer
/// and distractor exactly one token behind the clean prompt, and no token both. Nothing if it fits.
std::optional<TaskMisfit> misfit(const tokenizer::Tokenizer& tokenizer, const Json& fields);

/// The lines of a set whose rows fit, two each, and how many rows do not.
struct FittingRows {
    std::vector<PromptLine> lines;
    int rows = 0, left_out = 0;
    std::string reason; ///< of the first that was left out
};
/// Errors: malformed if no row of `lines` fits; `name` stands in the sentence.
Result<FittingRows> fitting_rows(const tokenizer::Tokenizer& tokenizer, std::vector<PromptLine> lines,
                                 const std::string& name);

} // namespace vitrine::engine

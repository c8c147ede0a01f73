#pragma once
// Heads worth a first look, found in a run's own numbers.
#include <optional>

#include "views/shared/desk.h"

namespace vitrine::views {

/// A head and the cell in which it shows what it does.
struct FoundHead {
    Place place;
    double weight = 0; ///< attention of that cell, or the sink's mean weight
};

/// If the last token stood in the text before: the head that looks most strongly at what came after it then.
std::optional<FoundHead> find_induction_head(const ShownRun& run);

/// The head with the largest attention sink, from the last query; its weight is alpha of the sink.
std::optional<FoundHead> find_sink_head(const ShownRun& run);
/// How many heads have a sink.
int heads_with_sinks(const ShownRun& run);

/// Where to look first: an induction head if the text repeats itself, else the head whose last query looks
/// back most strongly, the first token and the last ones aside.
std::optional<FoundHead> find_telling_head(const ShownRun& run);

} // namespace vitrine::views

#pragma once
// The pictures of the Attention page for a run whose patterns are not kept.
#include "views/attention/attention_pictures.h"

namespace vitrine::views {

/// Why A − B cannot be drawn where one of them is long; empty if it can.
QString why_not_long(const Desk& desk);

/// What the page draws of a long run: the run shown, or A − B. `before`: what it drew last, whose differences
/// stay where they are of the same runs.
AttentionData long_data(const Desk& desk, Measure measure, const AttentionData& before);
/// Ends of the colour scale by the heads that were read so far; whether they changed.
bool widen_scale(AttentionData& data);

/// Facts of the heads that were read so far; the others have none.
HeadFacts long_facts_of(const ShownRun& run);

/// Thumbnails of the heads that were read so far.
std::shared_ptr<figure::AttentionGrid>
long_grid_picture(const AttentionData& data, const AttentionOptions& options, const figure::Theme& theme);

/// The large picture without its numbers: titles, scale, and what it says in place of numbers.
std::shared_ptr<figure::Heatmap> long_head_picture(const AttentionData& data, const AttentionOptions& options,
                                                   const Place& place, const figure::Theme& theme);

/// The command that gives the numbers of one head.
QString long_command(const AttentionData& data, const Place& place);

/// All numbers of one head.
std::vector<engine::ResultValue> long_head_results(const AttentionData& data,
                                                   const attention::OpenHead& head);
/// Why they are too many to be written at once from the window; empty if they are not.
QString why_no_long_results(const ShownRun& run);

} // namespace vitrine::views

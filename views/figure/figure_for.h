#pragma once
// The picture of any analysis' result, so that each has one without writing any.
#include "core/engine/results.h"
#include "views/figure/picture.h"

namespace vitrine::figure {

/// A picture of one result, or nullptr for a kind without one. Axes named query and key make an attention
/// head, token labels are shown as tokens. What cannot be drawn as it is says so in the picture's place.
PicturePtr figure_for(const engine::ResultValue& result, const Theme& theme);

/// All results of an analysis: numbers and notes first, then the pictures, one under another.
PicturePtr figure_for(const std::vector<engine::ResultValue>& results, const Theme& theme);

/// Where these results say what each head is (a table `heads` with labels), a map of layer × head gets a sign
/// for it: sinks, overload, collapse. Other pictures stay as they are.
void mark_heads(Picture& picture, const std::vector<engine::ResultValue>& results, const Theme& theme);

} // namespace vitrine::figure

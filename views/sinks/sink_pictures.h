#pragma once
// The pictures of the Sinks page, from the results of its analyses.
#include "core/engine/results.h"
#include "views/figure/sink_map.h"
#include "views/figure/what_if.h"
#include "views/shared/edits.h"

namespace vitrine::views {

using Results = std::vector<engine::ResultValue>;

/// The map of sink-map's alpha (of A, B or A − B); nullptr if the results are of something else.
std::shared_ptr<figure::SinkMap> sink_map_picture(const Results& results, const figure::Theme& theme);

/// Norms of the residual stream after each layer, of keys and of values (means over heads), layer × token, in
/// colours by powers of ten; nullptr if the results are of something else.
figure::PicturePtr sink_norms_picture(const Results& results, const figure::Theme& theme);

/// By layer, the norms at a key as multiples of the median of the other tokens: residual stream, keys, values
/// (means over heads); nullptr if the results are of something else.
figure::PicturePtr sink_ratios_picture(const Results& results, int key, const QString& token);

/// The sink rate beside its control; nullptr if the results are of something else.
figure::PicturePtr sink_rate_picture(const Results& results, double epsilon);

/// The changes of sink-what-if, each with its effect and whether the edits that make it are on.
std::shared_ptr<figure::WhatIf> what_if_picture(const Results& results, int key, const QString& token,
                                                const EditList& edits);

/// Whether all of these edits are switched on.
bool are_on(const QStringList& texts, const EditList& edits);

} // namespace vitrine::views

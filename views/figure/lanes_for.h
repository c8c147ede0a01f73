#pragma once
// The results of generation-lanes as one picture.
#include <memory>

#include "core/engine/results.h"
#include "views/figure/lanes.h"

namespace vitrine::figure {

/// What lanes are made of: the results of one generation and what it is called.
struct LaneSource {
    QString name;
    const std::vector<engine::ResultValue>* results = nullptr;
};

/// Lanes of up to six generations; results that hold several rows give a run for each. `difference`: of two,
/// the first minus the second, as far as both have steps. `threshold`: of the rolling entropy; NaN: none.
/// nullptr where there are no lanes in it.
std::shared_ptr<Lanes> lanes_for(const std::vector<LaneSource>& sources, double threshold, bool difference);

} // namespace vitrine::figure

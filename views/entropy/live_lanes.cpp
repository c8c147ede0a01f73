#include "views/entropy/live_lanes.h"

#include <QCoreApplication>
#include <cmath>
#include <iterator>
#include <utility>

#include "views/figure/lanes_for.h"

namespace vitrine::views {

bool LiveLanes::stop() { return std::exchange(on_, false); }

void LiveLanes::add(const run::GenerateStep& step, const std::string& token) {
    if (!on_) {
        on_ = true;
        results_.clear();
        for (const char* name : {"ids", "entropy", "varentropy", "top1", "margin"})
            results_.push_back({name, "series", {{"step", 0, {}}}, {}, {}, {}});
        results_.push_back({"tokens", "table", {}, {}, Json::array(), {}});
    }
    const double numbers[] = {static_cast<double>(step.id), step.entropy, step.varentropy, step.top1,
                              step.margin};
    for (std::size_t i = 0; i < std::size(numbers); ++i) {
        results_[i].data.push_back(numbers[i]);
        ++results_[i].axes.front().size;
    }
    results_.back().json.push_back({{"row", 0}, {"position", step.pos}, {"id", step.id}, {"token", token}});
}

std::shared_ptr<figure::Lanes> LiveLanes::picture() const {
    if (!on_) return nullptr;
    auto picture = figure::lanes_for({{QString(), &results_}}, NAN, false);
    if (!picture) return nullptr;
    picture->said =
        QCoreApplication::translate("LiveLanes", "Generating: the other lanes follow when it has ended.");
    picture->linked = false;
    return picture;
}

} // namespace vitrine::views

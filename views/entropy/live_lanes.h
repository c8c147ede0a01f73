#pragma once
// The lanes of a text while it is being generated: what each step itself tells.
#include <memory>
#include <string>
#include <vector>

#include "core/engine/results.h"
#include "core/run/generate.h"
#include "views/figure/lanes.h"

namespace vitrine::views {

class LiveLanes {
public:
    bool on() const { return on_; }
    /// Stops, and forgets what was drawn. Whether there was anything.
    bool stop();
    /// The first one begins a text.
    void add(const run::GenerateStep& step, const std::string& token);
    /// nullptr: nothing was drawn.
    std::shared_ptr<figure::Lanes> picture() const;

private:
    bool on_ = false;
    std::vector<engine::ResultValue> results_;
};

} // namespace vitrine::views

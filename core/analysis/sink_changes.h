#pragma once
// The ways of taking a sink away, in the words of the command line.
#include <string>
#include <vector>

#include "core/sdk/input.h"

namespace vitrine::analysis {

/// One change of the model.
struct Change {
    std::string name; ///< "clean" changes nothing
    std::vector<std::string> edits;
    std::string attention;
    int control_of = -1; ///< index of the change that this one is a draw of the control for
};

/// The clean run, then every change that sink-what-if knows by its parameters, then the draws of the
/// controls. `keys`: the sink in each row. What cannot be had is left out and said in `note`.
std::vector<Change> sink_changes(const sdk::Start& start, const std::vector<int>& keys,
                                 const std::vector<int>& layers, std::string& note);

} // namespace vitrine::analysis

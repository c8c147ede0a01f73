#pragma once
// What a cell of a map of effects stands for.
#include "core/base/json.h"
#include "views/figure/picture.h"

namespace vitrine::views {

struct Component {
    QString name;   ///< as menus say it: "L5 H3", "M4", "resid_pre of layer 2 at position 7"
    QString member; ///< of a circuit, "L5H3" or "M4"; empty: it is none
    QString edit;   ///< the intervention that takes it out
};

/// The component under a pointer in the map of an analysis with these parameters; one without a name where
/// the place is none. `layer` of the spot may be missing where the map is of one layer only.
Component component_at(const std::string& analysis, const Json& parameters, const figure::Spot& spot);

} // namespace vitrine::views

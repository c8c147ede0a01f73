#pragma once
// What keys and the right button do, the same in every view.
#include <QMenu>

#include "views/shared/desk.h"
#include "views/shared/figure_source.h"

class QKeyEvent;

namespace vitrine::views {

/// Arrows: layer (up, down) and head; with Ctrl query (left, right) and key; Space: the intervention under
/// the selection on and off; S: the selected head into the set or out of it; Escape: no second place. True if
/// the key meant something.
bool handle_selection_key(Desk& desk, const QKeyEvent& event);

/// What can be done to the head or token under the pointer: select, compare, ablate, patch, add to the set.
/// Coordinates that the spot lacks are those of the selection.
void add_spot_actions(QMenu& menu, Desk& desk, const figure::Spot& spot);

/// Copy value, data, command, Python.
void add_copy_actions(QMenu& menu, const QString& value, const std::function<QString()>& data,
                      const FigureSource& source);

/// What a spot is called: "L3 H5", "query 7", "L3 H5 · query 7 · key 0".
QString name_of(const figure::Spot& spot);

} // namespace vitrine::views

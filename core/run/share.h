#pragma once
// Computing once what rows of a batch have in common. A sweep is one batch whose rows differ by an edit each:
// up to that edit they are the same row, and before its position they stay so.
#include "core/run/plan.h"

namespace vitrine::run {

/// The same plan with each value computed only for tokens that something reads, and once for all tokens that
/// cannot differ: those with the same inputs, the same visible keys and the same edits. Outputs stay as they
/// were, bit for bit, since no op's result depends on which other rows it is computed with. Plans that keep
/// keys and values in a cache are returned as they are.
Plan share(Plan plan);

} // namespace vitrine::run

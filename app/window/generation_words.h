#pragma once
// What a generation is called: in the tree, in a legend, on the command line.
#include "app/window/generations.h"
#include "views/entropy/branch_tree.h"

namespace vitrine::window {

/// A token as pictures show it.
QString token_shown(const engine::OpenModel& model, std::int32_t id);

/// Its first words; of a branch those from where it leaves.
QString name_of(const engine::OpenModel& model, const Generation& of);

/// Its row in the tree. `branched`: what it leaves is in the tree too.
views::Branch branch_of(const engine::OpenModel& model, const Generation& of, bool branched);

/// The command line that gives its lanes. `values`: of the analysis' parameters.
QString command_of(const engine::OpenModel& model, const Generation& of, const std::string& analysis,
                   const Json& values);

} // namespace vitrine::window

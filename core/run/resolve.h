#pragma once
// From edits as a person writes them to boxes and tensors of one batch.
#include "core/model/hooks.h"
#include "core/run/builder.h"
#include "core/run/run_spec.h"

namespace vitrine::run {

/// The rows of one plan within the spec's rows, and how far each prompt reaches.
struct RowContext {
    const std::vector<RunRow>* rows = nullptr; ///< of this plan
    int first_row = 0;                         ///< index of the first of them in the spec
    int spec_rows = 0;                         ///< rows of the whole spec
    std::vector<int> prompt_length;            ///< per row of this plan
    std::vector<int> past;                     ///< per row: tokens in the cache before this plan
};

/// An edit with the hooks that its glob means. `means` and `from row=` are already tensors.
struct MatchedEdit {
    EditSpec spec;
    std::vector<model::HookInfo> hooks;
};

/// Checks rows, heads, channels, keys and positions against the whole spec: usage if one matches nothing.
Status check_edit(const MatchedEdit& edit, const std::vector<RunRow>& rows, bool generating);

/// Adds the edit's boxes for the rows of one plan, and the tensors that they need to `constants`.
/// usage: a tensor of the wrong shape, naming both shapes.
Status resolve_edit(const MatchedEdit& edit, const RowContext& context, HookEdits& out,
                    std::vector<SharedTensor>& constants);

/// Whether the edit needs an unedited run first (`mean` without tensors, `from row=`).
bool needs_reference(const EditSpec& edit);

} // namespace vitrine::run

#pragma once
// What comes out of a run, in the coordinates that were asked for.
#include <memory>
#include <set>
#include <string>

#include "core/model/folding.h"
#include "core/run/batch.h"

namespace vitrine::run {

/// Brings the results of a request into the spec's coordinates; in raw ones it leaves them as they are.
class ReadOut {
public:
    /// Adds to the request what only the read-out needs. `logits`: next-token statistics are wanted too.
    ReadOut(const model::Model& model, const RunSpec& spec, bool logits, Request& request);

    /// Whether the model has folded coordinates, and every edit shows in them. unsupported: one sentence.
    static Status check(const model::Model& model, const RunSpec& spec);

    void apply(RowResult& row) const;

private:
    std::unique_ptr<const model::Folding> folding_; ///< none in raw coordinates
    std::set<std::string> wanted_;                  ///< captures that the spec asks for
    bool logits_ = false;
};

} // namespace vitrine::run

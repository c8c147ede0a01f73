#pragma once
// A finished run as views read it.
#include <QStringList>
#include <functional>
#include <memory>
#include <vector>

#include "core/attention/head_store.h"
#include "core/backend/backend.h"
#include "core/base/json.h"
#include "core/base/tensor.h"
#include "views/figure/matrix.h"
#include "views/figure/text.h"

namespace vitrine::views {

struct ShownRun {
    std::int64_t step = 0; ///< of the session; 0 if it is not recorded
    QString prompt;
    QStringList edits;                ///< interventions that it was made with
    std::vector<std::int32_t> beside; ///< ids of the row that edits read from; empty without one
    std::vector<figure::Token> tokens;
    int layers = 0;
    int heads = 0;
    std::vector<SharedTensor> patterns; ///< by layer [heads, tokens, tokens]; empty if there are none
    /// Where all patterns would take too much: what they are recomputed from; nullptr otherwise.
    std::shared_ptr<attention::HeadStore> store;
    std::vector<backend::LogitRow> next; ///< by position
    double loss = 0;                     ///< mean negative log-likelihood of the tokens, nats; NaN without
    std::function<figure::Token(std::int32_t)> token_of; ///< a token of the vocabulary
    QString model;                                       ///< as the user named it
    QString device, precision;
    double engine_ms = 0; ///< on the device
    double total_ms = 0;  ///< from the keystroke to here
    Json provenance;

    int size() const { return static_cast<int>(tokens.size()); }
    bool is_long() const { return store != nullptr; }
    bool has_patterns() const { return !patterns.empty(); }
    /// One head's attention, [tokens, tokens].
    figure::Matrix pattern(int layer, int head) const {
        const std::int64_t cells = std::int64_t{size()} * size();
        return {patterns[static_cast<std::size_t>(layer)], head * cells, size(), size()};
    }
};

using RunPtr = std::shared_ptr<const ShownRun>;

} // namespace vitrine::views

#pragma once
// Which columns of a head's attention are sinks.
#include <vector>

#include "views/figure/matrix.h"

namespace vitrine::views {

/// Mean attention that a key gets from the queries that can see it:
/// alpha_k = Σ_{i ≥ k} A[i, k] / (T − k), k from 0 (Gu et al., When Attention Sink Emerges).
std::vector<double> alpha_of(const figure::Matrix& pattern);

/// Columns with alpha above 0.3 that at least 8 queries see: below that an even spread passes too.
std::vector<bool> sinks_by(const std::vector<double>& alpha);
/// The same of a pattern.
std::vector<bool> sink_columns(const figure::Matrix& pattern);

/// Mean over queries of the attention that goes to the marked columns.
double mass_by(const std::vector<double>& alpha, const std::vector<bool>& columns);
double mass_on(const figure::Matrix& pattern, const std::vector<bool>& columns);

/// Entropy of one query's attention, −Σ A ln A, nats.
double row_entropy(const figure::Matrix& pattern, int query);

/// The pattern without the marked columns (NaN there), each row brought back to a sum of 1.
figure::Matrix without_columns(const figure::Matrix& pattern, const std::vector<bool>& columns);

} // namespace vitrine::views

#pragma once
// The pictures of the Heads page, from the results of head-metrics (of A, B or A − B).
#include <QStringList>

#include "core/engine/results.h"
#include "views/figure/picture.h"
#include "views/figure/table.h"

namespace vitrine::views {

using Results = std::vector<engine::ResultValue>;

/// Metrics with one number for each head, as results name them.
const QStringList& head_metrics();
/// What else the main picture can show: where generated queries look, step by step.
const QStringList& generation_metrics();

/// A result by its name, or of a difference NAME_difference; nullptr: it is not there.
const engine::ResultValue* find_result(const Results& results, const QString& name);

/// Map over layers and heads, or curves over steps; says in its place what is missing.
figure::PicturePtr metric_picture(const Results& results, const QString& metric, const figure::Theme& theme);
/// Every head between two metrics.
figure::PicturePtr scatter_picture(const Results& results, const QString& x, const QString& y,
                                   const figure::Theme& theme);
/// Every head with all its metrics.
std::shared_ptr<figure::Table> heads_table(const Results& results, const figure::Theme& theme);

} // namespace vitrine::views

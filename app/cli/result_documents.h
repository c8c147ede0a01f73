#pragma once
// Results of analyses as JSON and as text.
#include <string>

#include "core/base/json.h"
#include "core/engine/engine.h"

namespace vitrine::cli {

/// {"name", "kind", "axes": [{"name", "size", "labels"}], "data"}: data nested in the order of the axes, a
/// bare number without axes; for table, graph, features and text what the result holds. labels: null where
/// there are none.
Json result_document(const engine::ResultValue& result);

/// {"analysis", "parameters", "provenance", "results", "step"}
Json analysis_document(const engine::AnalysisRecord& record);

/// The results of such a document for people: small matrices as tables, large ones by their shape.
std::string describe_analysis(const Json& document);

} // namespace vitrine::cli

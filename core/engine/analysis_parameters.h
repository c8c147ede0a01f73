#pragma once
// Parameters as a person gives them, checked against a manifest.
#include <functional>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

namespace vitrine::engine {

/// The id of a text that is exactly one token.
using TokenOfText = std::function<Result<std::int32_t>(std::string_view)>;

/// Every parameter of the manifest with its value: those of `given` converted to their types (texts as
/// `--set k=v` gives them are parsed), the others at their defaults. `given` may be null.
/// Errors: usage (unknown parameter, wrong type), out_of_range (below min, above max, no such choice), and
/// those of `token_of`, which may be empty for a model without a tokenizer.
Result<Json> check_parameters(const Json& manifest, const Json& given, const TokenOfText& token_of);

} // namespace vitrine::engine

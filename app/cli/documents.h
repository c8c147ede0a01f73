#pragma once
// The documents of the command line, as CLI.md lists them, built from the engine's values.
#include <optional>
#include <string>
#include <vector>

#include "core/backend/backend.h"
#include "core/base/json.h"
#include "core/engine/engine.h"
#include "core/model/hooks.h"
#include "core/model/parts.h"
#include "core/tokenizer/tokenizer.h"

namespace vitrine::cli {

/// {"auto", "devices": [...]}; `devices` as list_devices() gives them.
Json devices_document(const std::vector<backend::DeviceInfo>& devices);

/// {"hooks": [{"name", "axes", "shape"}]}; sizes that depend on the run are null.
Json hooks_document(const model::ModelSpec& spec);

/// The member "model" of `model`; `tokenizer` is null without one.
Json model_document(const model::Model& model, const tokenizer::Tokenizer* tokenizer);

/// The member "parts" of `model`: {"part", "parameters", "bytes", "dtypes": {"Q4_K": parameters, …}}.
Json parts_document(const model::Model& model);

/// {"name", "shape", "dtype", "bytes"} of one stored tensor.
Json tensor_document(const std::string& name, const Shape& shape, DType dtype, std::size_t bytes);

/// The member "check" of `model --check`.
Json check_document(const engine::SelfCheck& check);

/// A number, or null if it is not finite.
Json number(double value);

/// A text, or null if it is empty.
Json or_null(const std::string& text);

} // namespace vitrine::cli

#pragma once

namespace vitrine::cli {

inline constexpr const char* model_help =
    "Folder of a model, .gguf file, default (the bundled one), or a name that \"vitrine-cli models\" lists";

} // namespace vitrine::cli

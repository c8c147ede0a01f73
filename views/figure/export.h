#pragma once
// Pictures as files: SVG and PDF with real text, PNG at any scale, all with their provenance inside.
#include <filesystem>
#include <string>

#include "core/base/json.h"
#include "views/figure/picture.h"

namespace vitrine::figure {

struct ExportOptions {
    QSizeF size;       ///< pixels at 96 per inch; empty: the picture's preferred size
    double scale = 2;  ///< of PNG: device pixels to one of those
    std::string title; ///< of the document
    Json provenance;   ///< model, weights_hash, device, precision, version, spec, …
};

/// Writes a picture; the suffix .svg, .pdf or .png decides how. The file appears whole or not at all.
/// Errors: usage (another suffix), io. Needs a QGuiApplication.
Status export_figure(const Picture& picture, const std::filesystem::path& file, const Theme& theme,
                     const ExportOptions& options);

} // namespace vitrine::figure

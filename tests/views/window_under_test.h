#pragma once
// What tests of the window open it with.
#include <QTemporaryDir>

#include "app/window/main_window.h"

namespace vitrine::test {

constexpr int patience_ms = 120000; ///< for machines that do much else

/// The default model on the CPU, with a session in this folder.
inline window::WindowOptions in_folder(const QTemporaryDir& folder) {
    window::WindowOptions options;
    options.session = folder.filePath("test.vitrine").toStdString();
    options.model.name = "default";
    options.model.device = "cpu";
    return options;
}

} // namespace vitrine::test

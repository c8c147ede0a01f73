#pragma once
// What tests of the window open it with.
#include <QCoreApplication>
#include <QStandardPaths>
#include <QTemporaryDir>

#include "app/window/main_window.h"

namespace vitrine::test {

constexpr int patience_ms = 120000; ///< for machines that do much else

/// Before the first window. Settings lie under the test's own name: tests run beside each other.
inline void prepare(const char* name) {
    QStandardPaths::setTestModeEnabled(true);
    QCoreApplication::setOrganizationName(name);
    qputenv("VITRINE_RESOURCES", VITRINE_RESOURCES);
}

/// The default model on the CPU, with a session in this folder.
inline window::WindowOptions in_folder(const QTemporaryDir& folder) {
    window::WindowOptions options;
    options.session = folder.filePath("test.vitrine").toStdString();
    options.model.name = "default";
    options.model.device = "cpu";
    return options;
}

} // namespace vitrine::test

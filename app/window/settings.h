#pragma once
#include <QDialog>
#include <QString>

#include "app/window/appearance.h"
#include "core/backend/backend.h"

namespace vitrine::window {

/// What the user prefers, on this machine.
struct Preferences {
    Scheme scheme = Scheme::system;
    figure::Map amounts = figure::Map::cividis;
    QString device = QStringLiteral("auto"); ///< where a session does not say otherwise
    backend::Precision precision = backend::Precision::exact;
    int threads = 0;  ///< 0: all cores
    int size = 100;   ///< of everything, in percent
    QString sessions; ///< folder in which the first session is made

    static Preferences load();
    void save() const;
};

class SettingsDialog : public QDialog {
    Q_OBJECT

public:
    SettingsDialog(const Preferences& preferences, const QStringList& devices, QWidget* parent);

signals:
    /// At every change, so that it can be seen.
    void changed(const Preferences& preferences);

private:
    Preferences preferences_;
};

} // namespace vitrine::window

#pragma once
#include <QDialog>

#include "app/window/appearance.h"

namespace vitrine::window {

/// What the user prefers, on this machine.
struct Preferences {
    Scheme scheme = Scheme::system;
    figure::Map amounts = figure::Map::cividis;
    int threads = 0; ///< 0: all cores

    static Preferences load();
    void save() const;
};

class SettingsDialog : public QDialog {
    Q_OBJECT

public:
    SettingsDialog(const Preferences& preferences, QWidget* parent);

signals:
    /// At every change, so that it can be seen.
    void changed(const Preferences& preferences);

private:
    Preferences preferences_;
};

} // namespace vitrine::window

#pragma once
#include <QPointer>
#include <QTimer>
#include <functional>

#include "app/window/main_window.h"
#include "views/edits/direction_dialog.h"

namespace vitrine::window {

/// Drives the window through its pages and writes a picture of each.
class Tour : public QObject {
    Q_OBJECT

public:
    /// `variant` is light, dark or light-4k; pictures are FOLDER/NN-page-VARIANT.png.
    Tour(MainWindow& window, QString folder, QString variant, QObject* parent = nullptr);

signals:
    void finished(bool good);

private:
    struct Stop {
        QString name;
        std::function<void()> go;
        std::function<QWidget*()> on_top; ///< a dialog that is drawn over the window; may be empty
    };
    void look();
    bool take(const Stop& stop);
    void plan();

    MainWindow& window_;
    QPointer<SettingsDialog> settings_;
    QPointer<views::DirectionDialog> direction_;
    QString folder_, variant_;
    std::vector<Stop> stops_;
    std::size_t at_ = 0;
    int calm_ = 0;   ///< looks in a row with nothing to do
    int waited_ = 0; ///< looks since this stop began
    bool gone_ = false;
    QTimer clock_;
};

/// Starts this program once for each variant with a screen of its size; true if all went well.
bool run_tour(const QString& program, const QString& folder);

} // namespace vitrine::window

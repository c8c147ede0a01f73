#pragma once
#include <QElapsedTimer>
#include <QTimer>
#include <QWidget>

#include "app/window/bench.h"
#include "views/shared/desk.h"
#include "views/shared/elided_label.h"

class QLabel;
class QProgressBar;
class QToolButton;

namespace vitrine::window {

/// Device, precision and time of the last run; what lies under the pointer; what works longer than 0.3 s, how
/// far it is, and cancel.
class StatusLine : public QWidget {
    Q_OBJECT

public:
    StatusLine(Bench& bench, views::Desk& desk, QWidget* parent = nullptr);
    void show_latency(double milliseconds);
    /// A sentence that goes away by itself.
    void say(const QString& sentence);
    /// Another page is shown: what was said about the last one goes.
    void forget();

private:
    void refresh();
    void show_words();
    void show_run();
    void open_menu();

    Bench& bench_;
    views::Desk& desk_;
    QLabel* where_;
    views::ElidedLabel* said_;
    QLabel* doing_;
    QProgressBar* bar_;
    QToolButton* cancel_;
    QToolButton* jobs_;
    QTimer clock_;
    QTimer forget_;
    QString sentence_; ///< that goes away by itself
    QString pointed_;  ///< what lies under the pointer comes first
    double latency_ms_ = 0;
};

} // namespace vitrine::window

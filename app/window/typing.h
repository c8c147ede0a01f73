#pragma once
#include <QElapsedTimer>
#include <QTimer>

#include "app/window/main_window.h"

namespace vitrine::window {

/// Types a text into the window, letter by letter, and prints how long each took from keystroke to picture.
class TypingMeasurement : public QObject {
    Q_OBJECT

public:
    explicit TypingMeasurement(MainWindow& window, QObject* parent = nullptr);

signals:
    void finished();

private:
    void type_next();
    void result_shown();
    void report();

    MainWindow& window_;
    QString text_;
    int at_ = 0;
    bool waiting_ = false;
    QElapsedTimer since_;
    std::vector<double> milliseconds_;
    QTimer start_;
};

} // namespace vitrine::window

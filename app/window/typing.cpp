#include "app/window/typing.h"

#include <QApplication>
#include <QKeyEvent>
#include <algorithm>
#include <cstdio>
#include <fmt/format.h>

namespace vitrine::window {

TypingMeasurement::TypingMeasurement(MainWindow& window, QObject* parent)
    : QObject(parent), window_(window),
      text_(QStringLiteral(" The captain looked at the sea and said that the ship would sail at dawn. ")) {
    start_.setInterval(100);
    connect(&start_, &QTimer::timeout, this, [this] {
        if (!window_.idle() || !window_.desk().a()) return;
        start_.stop();
        connect(&window_.runner(), &Runner::arrived, this, &TypingMeasurement::result_shown);
        type_next();
    });
    start_.start();
}

void TypingMeasurement::type_next() {
    if (at_ == text_.size()) {
        report();
        return;
    }
    const QString letter = text_.mid(at_++, 1);
    waiting_ = true;
    since_.start();
    QKeyEvent press(QEvent::KeyPress, 0, Qt::NoModifier, letter),
        release(QEvent::KeyRelease, 0, Qt::NoModifier, letter);
    QApplication::sendEvent(window_.prompt().editor(), &press);
    QApplication::sendEvent(window_.prompt().editor(), &release);
}

void TypingMeasurement::result_shown() {
    if (!waiting_) return;
    waiting_ = false;
    window_.repaint(); // what a person waits for is the picture
    QApplication::sendPostedEvents();
    for (QWidget* widget : window_.findChildren<views::FigureCanvas*>())
        if (widget->isVisible()) widget->repaint();
    milliseconds_.push_back(static_cast<double>(since_.nsecsElapsed()) / 1e6);
    QTimer::singleShot(30, this, &TypingMeasurement::type_next);
}

void TypingMeasurement::report() {
    std::sort(milliseconds_.begin(), milliseconds_.end());
    const auto at = [&](double share) {
        return milliseconds_[static_cast<std::size_t>(share * static_cast<double>(milliseconds_.size() - 1))];
    };
    const views::RunPtr& run = window_.desk().a();
    fmt::print("{{\"work\":\"typing\",\"model\":\"{}\",\"device\":\"{}\",\"precision\":\"{}\",\"keystrokes\":"
               "{},\"tokens\":{},"
               "\"min_ms\":{:.1f},\"median_ms\":{:.1f},\"p95_ms\":{:.1f},\"max_ms\":{:.1f}}}\n",
               run->model.toStdString(), run->device.toStdString(), run->precision.toStdString(),
               milliseconds_.size(), run->size(), milliseconds_.front(), at(0.5), at(0.95),
               milliseconds_.back());
    std::fflush(stdout);
    emit finished();
}

} // namespace vitrine::window
